#include "host/search/random_search.h"

#include <memory>

#include "host/base/random.h"

namespace bittern {
namespace {

/// Policies between two checkpoints.
constexpr int kBatch = 8;

class RandomSearch : public Method {
 public:
  explicit RandomSearch(const MethodContext& context)
      : space_(context.space), rng_(Rng(context.seed).split(1)) {}

  int batch() const override { return kBatch; }

  std::vector<Proposal> ask(int n) override {
    std::vector<Proposal> proposals;
    for (int i = 0; i < n; ++i) {
      Policy policy(space_.layers());
      for (std::size_t layer = 0; layer < policy.size(); ++layer) {
        if (space_.leader(layer) != layer) continue;
        const std::vector<BitPair> pairs = space_.pairs(layer);
        policy[layer] = pairs[static_cast<std::size_t>(
            rng_.integer(0, static_cast<std::int64_t>(pairs.size()) - 1))];
      }
      proposals.push_back({space_.snap(policy)});
    }
    return proposals;
  }

  std::vector<nlohmann::json> tell(const std::vector<Outcome>& outcomes) override {
    return std::vector<nlohmann::json>(outcomes.size(), nlohmann::json::object());
  }

  void save(Checkpoint& checkpoint) const override { checkpoint.state["draw"] = rng_.save(); }
  void load(const Checkpoint& checkpoint) override {
    rng_ = Rng::restore(checkpoint.state.at("draw").get<std::string>());
  }

 private:
  const BitSpace& space_;
  Rng rng_;
};

}  // namespace

MethodKind random_method() {
  MethodKind kind;
  kind.name = "random";
  kind.description = "bits drawn uniformly, brought within the limits by the wall";
  kind.configure = [](const YamlMap&) {
    ConfiguredMethod method;
    method.name = "random";
    method.make = [](const MethodContext& context) -> std::unique_ptr<Method> {
      return std::make_unique<RandomSearch>(context);
    };
    return method;
  };
  return kind;
}

}  // namespace bittern
