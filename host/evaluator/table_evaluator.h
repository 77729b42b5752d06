#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host/evaluator/evaluator.h"
#include "host/network/network.h"

namespace bittern {

/// Accuracies from a CSV file, for networks that somebody else evaluated. Its header is
/// `b0,b1,...,accuracy` (weight bits of every layer; the activations may have any) or
/// `w0,a0,w1,a1,...,accuracy`; `#` starts a comment line. Accuracies are in percent.
class TableEvaluator : public Evaluator {
 public:
  /// Throws Error (exit status 2) with file and line when the file is malformed, does not fit the
  /// network, or says two things about one policy. With `missing_is_bad` a policy that is not there
  /// has an accuracy of 0; otherwise asking for it is an Error.
  TableEvaluator(const Network& network, const std::filesystem::path& file, double full_precision,
                 bool missing_is_bad);

  Accuracy evaluate(const Policy& policy) override;
  Accuracy baseline() override { return {full_precision_, 0.0}; }
  bool knows(const Policy& policy) const override { return accuracies_.count(key(policy)) > 0; }
  std::string fingerprint() const override { return fingerprint_; }

  /// Policies in the file.
  std::size_t size() const { return accuracies_.size(); }
  double full_precision() const { return full_precision_; }

 private:
  std::vector<int> key(const Policy& policy) const;

  std::string file_;
  std::string network_;
  std::size_t layers_;
  double full_precision_;
  bool missing_is_bad_;
  bool weights_only_ = false;
  std::map<std::vector<int>, double> accuracies_;
  std::string fingerprint_;
};

}  // namespace bittern
