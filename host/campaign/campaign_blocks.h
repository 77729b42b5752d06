#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "host/base/yaml.h"
#include "host/campaign/campaign.h"

namespace bittern {

// The blocks of a campaign file, one by one. Strict: errors name file, line and key.

/// The entries of a key that may hold a list; a single value is one entry.
std::vector<YamlNode> entries_of(const YamlNode& node);

/// The names under `method`.
std::vector<YamlNode> method_nodes(const std::optional<YamlNode>& search);

/// The numbers that a constraint lists under its limit.
std::vector<YamlNode> limits_of(const YamlNode& constraint);

DataSettings read_data(const YamlNode& node);

/// To describe a campaign its checkpoint need not be there; to run it, it must.
ModelSettings read_model(const YamlNode& node, bool to_run);

/// `evaluator` of a campaign. Without `kinds` only its name is known.
ConfiguredEvaluator read_evaluator(const YamlMap& campaign, const CampaignKinds* kinds);

/// `search` of a campaign, with the method that stands at `pick` in its list. Without `methods`
/// nothing is known of them but the name.
SearchSettings read_search(const YamlNode& node, const std::vector<MethodKind>* methods,
                           std::size_t pick, ConfiguredMethod& method);

FinalSettings read_final(const YamlNode& node);

/// `constraints` of a campaign, each with the limit that stands at `picks` in its list.
std::vector<ConstraintSettings> read_constraints(const YamlNode& node,
                                                 const std::vector<std::size_t>& picks);

}  // namespace bittern
