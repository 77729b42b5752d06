#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "host/search/method.h"

namespace bittern::testing {

/// Asks a method for one proposal at a time, however many it would have scored at once.
class OneByOne : public Method {
 public:
  explicit OneByOne(std::unique_ptr<Method> method) : method_(std::move(method)) {}
  std::vector<Proposal> ask(int n) override { return method_->ask(n); }
  std::vector<nlohmann::json> tell(const std::vector<Outcome>& outcomes) override {
    return method_->tell(outcomes);
  }
  double objective(const Outcome& outcome) const override { return method_->objective(outcome); }
  double spent() const override { return method_->spent(); }
  void save(Checkpoint& checkpoint) const override { method_->save(checkpoint); }
  void load(const Checkpoint& checkpoint) override { method_->load(checkpoint); }

 private:
  std::unique_ptr<Method> method_;
};

/// The method as it was configured, asked one by one.
inline ConfiguredMethod one_by_one(ConfiguredMethod method) {
  method.make = [make = method.make](const MethodContext& context) -> std::unique_ptr<Method> {
    return std::make_unique<OneByOne>(make(context));
  };
  return method;
}

}  // namespace bittern::testing
