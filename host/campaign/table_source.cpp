#include <fmt/format.h>

#include <memory>
#include <utility>

#include "host/base/zoo.h"
#include "host/campaign/accuracy_source.h"
#include "host/evaluator/table_evaluator.h"

namespace bittern {
namespace {

/// Accuracies that somebody else found: nothing is trained, and there is no test set.
class TableSource : public AccuracySource {
 public:
  /// `written` is the file as the campaign names it.
  TableSource(const Network& network, std::string written, const std::string& file,
              double full_precision, bool missing_is_bad)
      : table_(std::move(written)), evaluator_(network, file, full_precision, missing_is_bad) {}

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

EvaluatorKind table_kind() {
  EvaluatorKind kind;
  kind.name = "table";
  kind.description = "accuracies that somebody else found, from a CSV file";
  kind.keys = {"table", "full_precision", "missing"};
  kind.configure = [](const YamlMap& map) {
    const YamlNode table = map.at("table");
    const std::string file = existing_file(table).string();
    const std::string written = table.text();
    const double full_precision = map.real("full_precision", 0, 100);
    const bool bad = map.choice("missing", {"error", "bad"}, "error") == "bad";
    ConfiguredEvaluator evaluator;
    evaluator.name = "table";
    evaluator.uses_images = false;
    evaluator.key = {{"kind", "table"},
                     {"table", written},
                     {"full_precision", full_precision},
                     {"missing_is_bad", bad}};
    evaluator.make = [=](const Campaign&, const Network& network,
                         const RunOptions&) -> std::unique_ptr<AccuracySource> {
      return std::make_unique<TableSource>(network, written, file, full_precision, bad);
    };
    return evaluator;
  };
  return kind;
}

}  // namespace

std::vector<EvaluatorKind> host_evaluators() { return {table_kind()}; }

}  // namespace bittern
