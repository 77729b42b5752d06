#include "host/search/exhaustive_search.h"

#include <algorithm>
#include <memory>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr std::int64_t kDefaultMost = 20'000;
constexpr std::int64_t kMost = 10'000'000;
/// Policies that are scored between two checkpoints.
constexpr int kBatch = 16;

class ExhaustiveSearch : public Method {
 public:
  ExhaustiveSearch(const MethodContext& context, std::int64_t most)
      : space_(context.space), wall_(context.wall) {
    double policies = 1.0;
    for (std::size_t layer = 0; layer < space_.layers(); ++layer) {
      if (space_.leader(layer) != layer) continue;
      leaders_.push_back(layer);
      pairs_.push_back(space_.pairs(layer));
      policies *= static_cast<double>(pairs_.back().size());
    }
    if (policies > static_cast<double>(most)) {
      fail_usage(
          "search: exhaustive: network {} has {:.0f} policies in this search space; at most {} are "
          "gone through. Allow fewer bits (min_bits, max_bits, mode, bits, tie), raise "
          "max_policies, or take another method",
          context.network.name, policies, most);
    }
    all_ = static_cast<std::int64_t>(policies);
  }

  int batch() const override { return kBatch; }

  std::vector<Proposal> ask(int n) override {
    std::vector<Proposal> proposals;
    for (; next_ < all_ && static_cast<int>(proposals.size()) < n; ++next_) {
      Policy policy = at(next_);
      // What breaks a limit costs no evaluation.
      if (wall_.meets(policy)) proposals.push_back({std::move(policy), /*wall=*/false});
    }
    return proposals;
  }

  std::vector<nlohmann::json> tell(const std::vector<Outcome>& outcomes) override {
    return std::vector<nlohmann::json>(outcomes.size(), nlohmann::json::object());
  }

  void save(Checkpoint& checkpoint) const override { checkpoint.state["next"] = next_; }
  void load(const Checkpoint& checkpoint) override {
    next_ = checkpoint.state.at("next").get<std::int64_t>();
    if (next_ < 0 || next_ > all_) fail("checkpoint: policy {} of {}", next_, all_);
  }

 private:
  /// The policies in a fixed order: a number whose digits are the choices of the layers.
  Policy at(std::int64_t index) const {
    Policy policy(space_.layers());
    for (std::size_t i = leaders_.size(); i-- > 0;) {
      const auto size = static_cast<std::int64_t>(pairs_[i].size());
      policy[leaders_[i]] = pairs_[i][static_cast<std::size_t>(index % size)];
      index /= size;
    }
    return space_.snap(policy);
  }

  const BitSpace& space_;
  const Wall& wall_;
  std::vector<std::size_t> leaders_;
  std::vector<std::vector<BitPair>> pairs_;
  std::int64_t all_ = 0;
  std::int64_t next_ = 0;
};

}  // namespace

MethodKind exhaustive_method() {
  MethodKind kind;
  kind.name = "exhaustive";
  kind.description = "every policy that meets the limits: the true optimum, for small spaces";
  kind.keys = {"max_policies"};
  kind.configure = [](const YamlMap& map) {
    const std::int64_t most = map.integer("max_policies", 1, kMost, kDefaultMost);
    ConfiguredMethod method;
    method.name = "exhaustive";
    method.exhaustive = true;
    method.key = {{"max_policies", most}};
    method.make = [most](const MethodContext& context) -> std::unique_ptr<Method> {
      return std::make_unique<ExhaustiveSearch>(context, most);
    };
    return method;
  };
  return kind;
}

}  // namespace bittern
