#include "host/evaluator/table_evaluator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "host/base/csv.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"

namespace bittern {
namespace {

constexpr std::size_t kMostColumns = 20'000;  ///< of a header, so that what is wrong can be named

std::vector<std::string> header_of(std::size_t layers, bool weights_only) {
  std::vector<std::string> header;
  for (std::size_t i = 0; i < layers; ++i) {
    if (weights_only) {
      header.push_back(fmt::format("b{}", i));
    } else {
      header.push_back(fmt::format("w{}", i));
      header.push_back(fmt::format("a{}", i));
    }
  }
  header.emplace_back("accuracy");
  return header;
}

int bits_of(const std::string& field, const std::string& where) {
  int bits = 0;
  const char* const end = field.data() + field.size();
  const auto [at, code] = std::from_chars(field.data(), end, bits);
  if (code != std::errc() || at != end || bits < 1 || bits > 16) {
    fail_usage("{}: \"{}\": expected a bitwidth, 1 to 16", where, field);
  }
  return bits;
}

double percent_of(const std::string& field, const std::string& where) {
  char* end = nullptr;
  const double value = std::strtod(field.c_str(), &end);
  if (field.empty() || *end != '\0' || !(value >= 0.0 && value <= 100.0)) {
    fail_usage("{}: \"{}\": expected an accuracy in percent, 0 to 100", where, field);
  }
  return value;
}

}  // namespace

TableEvaluator::TableEvaluator(const Network& network, const std::filesystem::path& file,
                               double full_precision, bool missing_is_bad)
    : file_(file.string()),
      network_(network.name),
      layers_(network.layers.size()),
      full_precision_(full_precision),
      missing_is_bad_(missing_is_bad) {
  const std::string text = read_file(file);
  CsvReader reader(text, file_, CsvReader::Hash::kComment);
  const std::vector<std::string> both = header_of(layers_, false);
  std::vector<std::string> fields;
  if (!reader.next(fields, kMostColumns)) fail_usage("{}: no accuracy is in it", file_);
  weights_only_ = fields == header_of(layers_, true);
  if (!weights_only_ && fields != both) {
    fail_usage("{}:{}: expected the header of a network of {} layers ({}): {} or {}", file_,
               reader.line(), layers_, network_, fmt::join(header_of(layers_, true), ","),
               fmt::join(both, ","));
  }
  const std::size_t wanted = fields.size();
  while (reader.next(fields, wanted)) {
    const std::string where = fmt::format("{}:{}", file_, reader.line());
    if (fields.size() != wanted) {
      fail_usage("{}: {} fields; expected {}", where, fields.size(), wanted);
    }
    std::vector<int> bits;
    for (std::size_t i = 0; i + 1 < fields.size(); ++i) bits.push_back(bits_of(fields[i], where));
    const double accuracy = percent_of(fields.back(), where);
    const auto [known, is_new] = accuracies_.emplace(std::move(bits), accuracy);
    if (!is_new && known->second != accuracy) {
      fail_usage("{}: a second accuracy of this policy: {}, before {}", where, accuracy,
                 known->second);
    }
  }
  if (accuracies_.empty()) fail_usage("{}: no accuracy is in it", file_);
  Sha256 hash;
  hash.update_field("accuracy-table-1").update_field(weights_only_ ? "b" : "wa");
  hash.update_field(fmt::format("{}", full_precision_)).update_field(missing_is_bad_ ? "bad" : "");
  for (const auto& [bits, accuracy] : accuracies_) {
    hash.update_field(fmt::format("{} {}", fmt::join(bits, " "), accuracy));
  }
  fingerprint_ = hash.hex();
}

std::vector<int> TableEvaluator::key(const Policy& policy) const {
  if (policy.size() != layers_) {
    fail("{}: a policy of {} layers for network {}, which has {}", file_, policy.size(), network_,
         layers_);
  }
  std::vector<int> bits;
  for (const BitPair& pair : policy) {
    bits.push_back(pair.weight);
    if (!weights_only_) bits.push_back(pair.activation);
  }
  return bits;
}

Accuracy TableEvaluator::evaluate(const Policy& policy) {
  const std::vector<int> bits = key(policy);
  const auto found = accuracies_.find(bits);
  if (found != accuracies_.end()) return {found->second, 0.0};
  if (missing_is_bad_) return {0.0, 0.0};
  fail_usage(
      "{}: no accuracy of the policy {}; add it, search only among what is there (min_bits, "
      "max_bits, bits), or set evaluator.missing: bad",
      file_, fmt::join(bits, " "));
}

}  // namespace bittern
