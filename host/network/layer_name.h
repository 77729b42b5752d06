#pragma once

#include <string>
#include <vector>

namespace bittern {

/// Bytes of the longest name of a layer.
constexpr std::size_t kMostNameBytes = 200;

/// Why `name` cannot be the name of a layer or of another entry of a network file; empty when it
/// can. Names of exporters can: '/', '[', ':', '.', spaces within, letters of any script.
std::string layer_name_fault(const std::string& name);

/// A name for the row with the sums below rows of these names: "total", or one that no layer has.
std::string sum_row_name(const std::vector<std::string>& names);

}  // namespace bittern
