#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/random.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {

/// Writes networks with every operation, in any order that the shapes allow.
class RandomGraph {
 public:
  explicit RandomGraph(Rng& rng) : rng_(rng) {}
  /// Without what has no codes of ours: quantisers that the network states, borders of any value.
  static RandomGraph on_codes(Rng& rng) {
    RandomGraph graph(rng);
    graph.on_codes_ = true;
    return graph;
  }

  /// A network over 2 to 3 channels with `entries` entries before its last layer, of `classes`.
  Network draw(int entries, int classes) {
    const std::string input =
        fmt::format("[{}, {}, {}]", integer(2, 3), integer(7, 12), integer(7, 12));
    std::string text;
    std::vector<std::string> names = {"input"};
    for (int i = 0; i < entries; ++i) {
      // Now and then shapes do not fit: another try.
      for (int tries = 0;; ++tries) {
        if (tries == 200) throw std::logic_error("no entry fits behind\n" + text);
        const std::string name = "n" + std::to_string(i);
        const std::string more = text + entry(name, names);
        try {
          network_of(more + "  - linear: {name: z, from: input, out: 2}\n", input);
        } catch (const Error&) {
          continue;
        }
        text = more;
        names.push_back(name);
        break;
      }
    }
    // Everything decides the answer: what is left over is pooled and concatenated.
    std::string all;
    for (std::size_t i = 1; i < names.size(); ++i) {
      text += fmt::format("  - pool: {{name: g{}, from: {}, global: true, kind: {}}}\n", i,
                          names[i], rng_.uniform() < 0.5 ? "max" : "average");
      all += (i > 1 ? ", g" : "g") + std::to_string(i);
    }
    text += "  - concat: {from: [" + all + "]}\n";
    text += fmt::format("  - linear: {{name: head, out: {}, relu: false}}\n", classes);
    return network_of(text, input);
  }

 private:
  std::int64_t integer(std::int64_t low, std::int64_t high) { return rng_.integer(low, high); }
  std::string pair(std::int64_t low, std::int64_t high) {
    return fmt::format("[{}, {}]", integer(low, high), integer(low, high));
  }
  std::string chance(double share) { return rng_.uniform() < share ? "true" : "false"; }

  std::string entry(const std::string& name, const std::vector<std::string>& names) {
    const auto any = [&] {
      return names[static_cast<std::size_t>(
          integer(0, static_cast<std::int64_t>(names.size()) - 1))];
    };
    const std::string head = fmt::format("name: {}, from: {}", name, any());
    const std::string pads =
        fmt::format("[{}, {}, {}, {}]", integer(0, 3), integer(0, 3), integer(0, 3), integer(0, 3));
    const std::vector<std::string> relus = {"true", "false", "6"};
    const std::string& relu = relus[static_cast<std::size_t>(integer(0, 2))];
    switch (integer(0, 17)) {
      case 0:
      case 1:
        return fmt::format(
            "  - conv: {{{}, out: {}, kernel: {}, stride: {}, dilation: {}, pad: {}, groups: {}, "
            "relu: {}, batch_norm: {}, bias: {}}}\n",
            head, 2 * integer(1, 3), pair(1, 3), pair(1, 2), pair(1, 2), pads, integer(1, 2), relu,
            chance(0.4), chance(0.6));
      case 2:
        return fmt::format("  - depthwise: {{{}, kernel: {}, pad: {}, relu: {}, batch_norm: {}}}\n",
                           head, pair(1, 3), pads, relu, chance(0.4));
      case 3:
        return fmt::format("  - linear: {{{}, out: {}, relu: {}, batch_norm: {}}}\n", head,
                           integer(1, 6), relu, chance(0.3));
      case 4:
        // Holes in the kernel without padding: a window of padding only has no maximum.
        if (rng_.uniform() < 0.3) {
          return fmt::format("  - pool: {{{}, kernel: {}, stride: {}, dilation: {}}}\n", head,
                             pair(1, 3), pair(1, 3), pair(1, 2));
        }
        return fmt::format("  - pool: {{{}, kernel: {}, stride: {}, pad: {}, ceil: {}}}\n", head,
                           pair(1, 4), pair(1, 3), pads, chance(0.5));
      case 5:
        return fmt::format(
            "  - pool: {{{}, kind: average, kernel: {}, stride: {}, pad: {}, ceil: {}, "
            "count_padding: {}}}\n",
            head, pair(1, 4), pair(1, 3), pads, chance(0.5), chance(0.5));
      case 6:
        return fmt::format("  - add: {{name: {}, from: [{}, {}], relu: {}}}\n", name, any(), any(),
                           relu);
      case 7:
        return fmt::format("  - concat: {{name: {}, from: [{}, {}, {}]}}\n", name, any(), any(),
                           any());
      case 8:
        return fmt::format("  - pad_channels: {{{}, before: {}, after: {}}}\n", head, integer(0, 2),
                           integer(0, 2));
      case 9:
        return fmt::format("  - slice: {{{}, step: {}}}\n", head, pair(1, 3));
      case 10:
        return fmt::format("  - upsample: {{{}, factor: {}}}\n", head, pair(1, 2));
      case 11:
        return fmt::format("  - batch_norm: {{{}, epsilon: 0.01, relu: {}}}\n", head, relu);
      case 12:
        return fmt::format("  - clip: {{{}, low: -0.2, high: 0.3}}\n", head);
      case 13:
        return fmt::format("  - slice: {{{}, step: {}, begin: [{}, {}, {}], end: [2, 4, 5]}}\n",
                           head, pair(1, 2), integer(0, 1), integer(0, 2), integer(0, 2));
      case 14:
        return fmt::format("  - pad: {{{}, pad: {}{}}}\n", head, pads,
                           rng_.uniform() < 0.4   ? ", border: edge"
                           : rng_.uniform() < 0.5 ? ", border: reflect"
                           : on_codes_            ? ""
                                                  : ", value: -0.7");
      case 15: {
        // Behind a slice of known size.
        const std::string order = rng_.uniform() < 0.5 ? "[2, 0, 3, 1]" : "[1, 3, 2, 0]";
        return fmt::format(
            "  - slice: {{name: {}_cut, from: {}, end: [2, 3, 4]}}\n"
            "  - rearrange: {{name: {}, view: [2, 3, 2, 2], order: {}, shape: [{}]}}\n",
            name, any(), name, order, rng_.uniform() < 0.5 ? "4, 3, 2" : "2, 2, 6");
      }
      case 16:
        if (on_codes_) return entry(name, names);
        return fmt::format(
            "  - quantise: {{{}, bits: {}, signed: {}, narrow: {}, rounding: {}, scale: 0.13, "
            "zero_point: {}}}\n",
            head, integer(2, 4), chance(0.5), chance(0.3),
            rng_.uniform() < 0.5 ? "half_even" : "floor", integer(0, 1));
      default:
        return rng_.uniform() < 0.5
                   ? fmt::format("  - relu: {{{}}}\n", head)
                   : fmt::format(
                         "  - normalise: {{{}, mean: [0.1, 0.4, 0.3], deviation: [0.5, 2, 1]}}\n",
                         head);
    }
  }

  Rng& rng_;
  bool on_codes_ = false;
};

}  // namespace bittern
