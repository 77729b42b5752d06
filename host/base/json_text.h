#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace bittern {

/// JSON text of a value, the way all JSON that Bittern keeps is written: on one line, or indented
/// by `indent`. Throws Error naming the place of a number that is not finite: JSON has none, and
/// `null` in its place would be a silent lie. Where such a number may occur, json_number() writes
/// it.
std::string json_text(const nlohmann::json& value, int indent = -1);

/// A number for JSON: itself, or the text "nan", "inf" or "-inf".
nlohmann::json json_number(double value);

/// `value` with json_number() in place of every number in it that is not finite.
nlohmann::json with_json_numbers(nlohmann::json value);

/// Whether a value is what json_number() makes.
bool is_json_number(const nlohmann::json& value);

/// The inverse of json_number(). Throws Error when `value` is something else.
double number_of_json(const nlohmann::json& value);

}  // namespace bittern
