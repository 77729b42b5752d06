#include "host/base/json_text.h"

#include <cmath>
#include <limits>
#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

using nlohmann::json;

void refuse_non_finite(const json& value, const std::string& place) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    fail("{} is {}, which is no number that JSON can hold: the result is not usable",
         place.empty() ? "a value" : place, value.get<double>());
  }
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      refuse_non_finite(inner, place.empty() ? key : place + "." + key);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      refuse_non_finite(value[i], fmt::format("{}[{}]", place, i));
    }
  }
}

}  // namespace

std::string json_text(const json& value, int indent) {
  refuse_non_finite(value, "");
  // Names of files and tools may be no UTF-8: shown with a mark rather than not at all.
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

json json_number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

json with_json_numbers(json value) {
  if (value.is_number_float()) return json_number(value.get<double>());
  if (value.is_structured()) {
    for (json& inner : value) inner = with_json_numbers(std::move(inner));
  }
  return value;
}

bool is_json_number(const json& value) {
  return value.is_number() || value == "nan" || value == "inf" || value == "-inf";
}

double number_of_json(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (value == "inf") return std::numeric_limits<double>::infinity();
  if (value == "-inf") return -std::numeric_limits<double>::infinity();
  fail("a number was expected, got {}", value.dump());
}

}  // namespace bittern
