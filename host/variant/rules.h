#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bittern {

struct Variant;

/// Most channels that lowering.depthwise_pack may name.
constexpr std::int64_t kMostDepthwisePack = 1024;

/// An RTL parameter that a variant must give, or may when it is optional: then the RTL has a value.
struct ParameterRule {
  const char* name;
  std::int64_t low;
  std::int64_t high;
  bool power_of_two;
  bool optional = false;

  bool allows(std::int64_t value) const;
};

/// What a core asks of a variant: the one place where its parameters' ranges stand. Files are read
/// by these rules, and variants that come from elsewhere are checked by them (check()).
struct VariantRules {
  std::string core;
  std::vector<ParameterRule> parameters;  ///< besides those of the shell
  /// Rules between parameters. Throws Error that says what is wrong and how to mend it; the caller
  /// adds where.
  std::function<void(const Variant&)> check_core;

  /// Those of the shell (docs/rtl.md) and those of the core.
  std::vector<ParameterRule> all_parameters() const;
  /// Rules between parameters, those of the shell included. Throws Error without variant or file.
  void check_together(const Variant& variant) const;
  /// Everything. Throws Error (exit status 2) naming variant, parameter, and what is allowed.
  void check(const Variant& variant) const;
};

/// Throws Error unless `units` results that leave together (`what`; `units_text` says how they are
/// counted) are whole beats of all write ports, as sums and as narrow as the variant has them, and
/// the ports can do what lowering asks for.
void check_results(const Variant& variant, const std::string& what, const std::string& units_text,
                   std::int64_t units);

/// Throws Error unless the variant has one fetch group of so many read ports (`lanes_text`), or two
/// (`both`: what they fetch side by side).
void check_read_ports(const Variant& variant, const std::string& lanes_text, std::int64_t lanes,
                      const std::string& both);

}  // namespace bittern
