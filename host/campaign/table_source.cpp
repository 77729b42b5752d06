#include <fmt/format.h>

#include <memory>

#include "host/campaign/accuracy_source.h"
#include "host/evaluator/table_evaluator.h"

namespace bittern {
namespace {

/// Accuracies that somebody else found: nothing is trained, and there is no test set.
class TableSource : public AccuracySource {
 public:
  TableSource(const Campaign& campaign, const Network& network)
      : table_(campaign.as_written("evaluator.table", campaign.evaluator.table)),
        evaluator_(network, campaign.evaluator.table, campaign.evaluator.full_precision,
                   campaign.evaluator.missing_is_bad) {}

  std::vector<NamedText> outline() const override {
    return {{"accuracies", fmt::format("{}: {} policies, full precision {:g} %", table_,
                                       evaluator_.size(), evaluator_.full_precision())}};
  }
  std::vector<std::string> prepare(RunDirectory&) override { return {}; }
  Evaluator& evaluator() override { return evaluator_; }
  ImageCounts images() const override { return {"table " + table_, 0, 0}; }
  std::vector<NamedText> facts() const override {
    return {
        {"accuracy", fmt::format("table {} ({})", table_, evaluator_.fingerprint().substr(0, 16))}};
  }

 private:
  std::string table_;
  TableEvaluator evaluator_;
};

}  // namespace

std::vector<EvaluatorKind> host_evaluators() {
  return {
      {"table",
       [](const Campaign& campaign, const Network& network,
          const RunOptions&) -> std::unique_ptr<AccuracySource> {
         return std::make_unique<TableSource>(campaign, network);
       }},
  };
}

}  // namespace bittern
