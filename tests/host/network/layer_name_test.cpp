#include "host/network/layer_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/network/network.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

TEST(LayerName, NamesOfExportersAndAwkwardWordsCan) {
  for (const char* name : {"conv1",       "/features/features.0/Conv",
                           "features[3]", "Conv_0:0",
                           "block 1",     "0",
                           "-1",          "no",
                           "total",       "null",
                           "true",        "~",
                           "Größe",       "测试",
                           "a=b",         "\"quoted\"",
                           "#1",          "@",
                           "@a",          "1@2",
                           "=1+1",        "..",
                           "a/../b",      "'",
                           "$(x)",        "a;b",
                           "a\\b",        "%s",
                           "{}"}) {
    EXPECT_EQ(layer_name_fault(name), "") << name;
  }
  EXPECT_EQ(layer_name_fault(std::string(kMostNameBytes, 'x')), "");
}

TEST(LayerName, WhatCannotSaysWhy) {
  EXPECT_THAT(layer_name_fault(""), HasSubstr("empty"));
  EXPECT_THAT(layer_name_fault(std::string(kMostNameBytes + 1, 'x')), HasSubstr("at most 200"));
  EXPECT_THAT(layer_name_fault("a,b"), HasSubstr("comma"));
  EXPECT_THAT(layer_name_fault("input"), HasSubstr("input of the network"));
  EXPECT_THAT(layer_name_fault("@1"), HasSubstr("--layers"));
  EXPECT_THAT(layer_name_fault(" a"), HasSubstr("space"));
  EXPECT_THAT(layer_name_fault("a "), HasSubstr("space"));
  for (const char* name : {"a\nb", "a\tb", "\x1b[31m", "a\x7f", "\xe2\x80\xae", "\xff"}) {
    EXPECT_THAT(layer_name_fault(name), HasSubstr("control characters"));
  }
}

TEST(LayerName, FilesNameTheLineOfABadOne) {
  const TemporaryFolder folder;
  const auto error_of = [&](const std::string& name) -> std::string {
    write_file(folder / "n.yaml",
               "name: n\ninput: [1, 4, 4]\nlayers:\n  - linear: {name: " + name + ", out: 2}\n");
    try {
      load_network((folder / "n.yaml").string());
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(error_of("/a/b.0/Conv"), "none");
  EXPECT_EQ(error_of("no"), "none");
  EXPECT_EQ(error_of("-1"), "none");
  EXPECT_EQ(error_of("\"null\""), "none");
  EXPECT_THAT(error_of("null"), HasSubstr("n.yaml:4: layers[0].linear.name: has no value"));
  EXPECT_THAT(error_of("input"), HasSubstr("n.yaml:4: layers[0].linear: name 'input'"));
  EXPECT_THAT(error_of("\"a,b\""), HasSubstr("n.yaml:4"));
  EXPECT_THAT(error_of("\"a\\e[2J\""), HasSubstr("n.yaml:4"));
  EXPECT_THAT(error_of("\"\""), HasSubstr("n.yaml:4"));
}

TEST(LayerName, PoliciesTakeThemThroughAFile) {
  const TemporaryFolder folder;
  write_file(folder / "n.yaml",
             "name: n\ninput: [1, 8, 8]\nlayers:\n"
             "  - conv: {name: '/f/f.0/Conv [1:2]', out: 2, kernel: 3}\n"
             "  - linear: {name: 'a \"b\" ü', out: 2}\n");
  const Network network = load_network((folder / "n.yaml").string());
  const Policy policy = {{2, 3}, {4, 5}};
  save_policy(folder / "p.json", network, policy);
  EXPECT_EQ(load_policy(folder / "p.json", network), policy);
}

TEST(LayerName, NoLayerIsCalledLikeTheSum) {
  EXPECT_EQ(sum_row_name({"a", "b"}), "total");
  EXPECT_EQ(sum_row_name({"total", "b"}), "sum: total");
  EXPECT_EQ(sum_row_name({"sum: total", "total"}), "sum: sum: total");
}

}  // namespace
}  // namespace bittern
