#include "host/search/baselines/uniform.h"

#include <algorithm>
#include <memory>
#include <set>

#include "host/base/error.h"
#include "host/search/baselines/record.h"

namespace bittern {
namespace {

class Uniform : public Baseline {
 public:
  explicit Uniform(const MethodContext& context) : Baseline(context) {
    std::set<int> widths;
    for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
      for (const BitPair bits : space_.options(slot)) {
        if (context.space.mode() != BitMode::kActivations) widths.insert(bits.weight);
        if (context.space.mode() != BitMode::kWeights) widths.insert(bits.activation);
      }
    }
    for (auto width = widths.rbegin(); width != widths.rend(); ++width) add({*width, *width});
    add({6, 4});
    if (policies_.empty()) {
      fail_usage(
          "search: uniform: of the {} uniform policies of network {} none is within the limits: "
          "raise a limit, allow fewer bits, or take a method that mixes bits",
          of_space_, context.network.name);
    }
  }

  int batch() const override { return static_cast<int>(policies_.size()); }

  std::vector<Proposal> ask(int n) override {
    std::vector<Proposal> proposals;
    for (const Choice& policy : policies_) {
      if (static_cast<int>(proposals.size()) == n) break;
      if (!record_.has(policy)) proposals.push_back(exactly(policy));
    }
    return proposals;
  }

 private:
  void add(BitPair bits) {
    Choice choice;
    for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
      const std::vector<BitPair>& options = space_.options(slot);
      const auto same = [](int BitPair::*operand, BitPair a) {
        return [operand, a](BitPair b) { return b.*operand == a.*operand; };
      };
      // An operand with one width keeps it; the other one must have the width that is asked for.
      BitPair wanted = bits;
      for (int BitPair::*operand : {&BitPair::weight, &BitPair::activation}) {
        if (std::all_of(options.begin(), options.end(), same(operand, options.front()))) {
          wanted.*operand = options.front().*operand;
        }
      }
      const auto at = std::find(options.begin(), options.end(), wanted);
      if (at == options.end()) return;
      choice.push_back(static_cast<int>(at - options.begin()));
    }
    if (std::find(policies_.begin(), policies_.end(), choice) != policies_.end()) return;
    ++of_space_;
    if (space_.meets(choice)) policies_.push_back(choice);
  }

  std::vector<Choice> policies_;
  int of_space_ = 0;
};

}  // namespace

MethodKind uniform_method() {
  MethodKind kind;
  kind.name = "uniform";
  kind.description = "one width everywhere, and 6-bit weights with 4-bit activations";
  kind.configure = [](const YamlMap&) {
    ConfiguredMethod method;
    method.name = "uniform";
    method.make = [](const MethodContext& context) -> std::unique_ptr<Method> {
      return std::make_unique<Uniform>(context);
    };
    return method;
  };
  return kind;
}

}  // namespace bittern
