#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "host/base/temporary_folder.h"
#include "host/export/export.h"
#include "host/integer/integer_executor.h"
#include "host/network/io/onnx/import.h"
#include "tests/agent/nn/graph_runner.h"
#include "tests/host/integer/random_integers.h"
#include "tests/host/network/random_graph.h"

namespace bittern {
namespace {

/// What a file that was read answers for an image.
std::vector<float> answer_of(const OnnxNetwork& read, const std::vector<std::uint8_t>& image) {
  const Shape& shape = read.graph.input;
  const torch::Tensor pixels = torch::tensor(std::vector<float>(image.begin(), image.end()))
                                   .view({1, shape.channels, shape.height, shape.width}) /
                               255.0f;
  const torch::Tensor logits = run_graph(read.graph, read.weights, pixels).flatten();
  return {logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel()};
}

// The files compute in single precision, whose rounding decides where a value lies in the middle
// between two codes: about one of some ten thousand. All others are equal, so that nearly every
// answer is.
TEST(ExportedNetworks, AnswerWhatTheIntegersAnswer) {
  const TemporaryFolder folder;
  int images = 0;
  int different = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Rng rng(seed);
    const Network network = RandomGraph::on_codes(rng).draw(8, 5);
    const QuantisedNetwork integers = random_integers(network, rng);
    const ExportInput input{network, &integers, {}, {}, {}, {}};
    const IntegerExecutor executor(integers);
    const bool odd = has_odd_layers(integers);
    const std::string format = odd || seed % 2 == 0 ? "qonnx" : "qcdq";
    export_format(format).write(input, folder / "network.onnx");
    const OnnxNetwork read = read_onnx(folder / "network.onnx");
    for (int i = 0; i < 3; ++i) {
      const std::vector<std::uint8_t> image = random_image(network.graph.input, rng);
      const std::vector<float> expected = executor.logits(image);
      const std::vector<float> got = answer_of(read, image);
      ASSERT_EQ(got.size(), expected.size());
      ++images;
      bool equal = true;
      for (std::size_t k = 0; k < got.size(); ++k) {
        equal = equal && std::abs(got[k] - expected[k]) <= 1e-4f * (1.0f + std::abs(expected[k]));
      }
      different += equal ? 0 : 1;
    }
  }
  std::cout << different << " of " << images << " answers differ\n";
  EXPECT_LE(different, images / 20);
}

}  // namespace
}  // namespace bittern
