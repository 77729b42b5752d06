#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bittern {

// Values of the lines of episodes.jsonl, for charts: what is not there, or of another form, is not
// a number, and charts leave it out.

double line_number(const nlohmann::json& line, const std::string& key);

/// Value of `key` in the object `part` of a line.
double line_number(const nlohmann::json& line, const std::string& part, const std::string& key);

/// Whether the line is of a warm-up.
bool line_is_warmup(const nlohmann::json& line);

/// Most points of a chart: what is beyond them makes pages slow and shows no more.
constexpr std::size_t kMostPoints = 1500;

/// The lines themselves, or every n-th of too many; those that raised the best reward always.
std::vector<const nlohmann::json*> lines_to_draw(const std::vector<nlohmann::json>& lines,
                                                 std::size_t most = kMostPoints);

}  // namespace bittern
