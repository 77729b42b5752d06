#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "host/analysis/comparison.h"
#include "host/base/table.h"

namespace bittern {

/// A comparison as text for people: variants, sums, transfer matrix, then layers and roofline of
/// every policy, each as `view` has it. Costs are for one image.
std::string comparison_text(const Comparison& comparison, const TableView& view = {});

/// One table with everything: a row for every policy, layer and variant, and a closing row (layer
/// "total") for every policy and variant. Costs are for one image, counts for the batch.
Table comparison_table(const Comparison& comparison);

/// The same as a document, format `bittern-compare-1`.
nlohmann::json comparison_json(const Comparison& comparison);

}  // namespace bittern
