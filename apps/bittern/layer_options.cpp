#include "apps/bittern/layer_options.h"

#include <algorithm>
#include <charconv>

#include "host/base/yaml.h"

namespace bittern {
namespace {

/// Index that a word of digits means; nothing when it is no index of the network.
std::optional<std::size_t> index_of_digits(const Network& network, const std::string& digits) {
  std::size_t index = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, index);
  if (code != std::errc() || stop != end || index >= network.layers.size()) return std::nullopt;
  return index;
}

/// A layer's name, its index, or @index. A word that is the name of one layer and the index of
/// another is refused.
std::size_t layer_index(const Network& network, const std::string& word) {
  std::vector<std::string> names;
  std::optional<std::size_t> named;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (network.layers[i].name == word) named = i;
    names.push_back(network.layers[i].name);
  }
  const bool at = word.size() > 1 && word[0] == '@';
  const auto indexed = index_of_digits(network, at ? word.substr(1) : word);
  if (named && indexed && *named != *indexed) {
    fail_usage(
        "--layers: '{0}' is the name of one layer and the index of another: write @{1} for the "
        "layer called '{0}', @{0} for the one at index {0} ('{2}')",
        word, *named, names[*indexed]);
  }
  if (named) return *named;
  if (indexed) return *indexed;
  fail_usage("--layers: network {} has no layer '{}'{} (or an index from 0 to {})", network.name,
             word, suggestion(word, names), network.layers.size() - 1);
}

}  // namespace

void LayerArguments::add_to(CLI::App& command) {
  text_of(command.add_option("--layers", words,
                             "Only these: names, or indices from 0 (@0 where a layer is called 0), "
                             "commas between"),
          "LAYER,...")
      ->delimiter(',')
      ->allow_extra_args(false);
}

std::vector<std::size_t> LayerArguments::indices(const Network& network) const {
  std::vector<std::size_t> indices;
  for (const std::string& word : words) {
    const std::size_t index = layer_index(network, word);
    if (std::find(indices.begin(), indices.end(), index) != indices.end()) {
      fail_usage("--layers: layer '{}' is given twice, and would count twice in sums",
                 network.layers[index].name);
    }
    indices.push_back(index);
  }
  if (words.empty()) {
    for (std::size_t i = 0; i < network.layers.size(); ++i) indices.push_back(i);
  }
  return indices;
}

void UniformBits::add_to(CLI::App& command) {
  whole_number(command.add_option("--wbits", weight, "Weight bits of every layer"), 1, 16);
  whole_number(command.add_option("--abits", activation, "Activation bits of every layer"), 1, 16);
}

BitPair UniformBits::bits() const {
  if (weight == 0 || activation == 0) {
    fail_usage("which bits? Give --wbits and --abits, or --policy");
  }
  return {weight, activation};
}

void BatchArgument::add_to(CLI::App& command) {
  whole_number(command.add_option("--batch", batch, "Images at once, in place of the variant's"), 1,
               4096);
}

Variant BatchArgument::applied(Variant variant) const {
  if (batch > 0) variant.batch = batch;
  return variant;
}

void SourceArguments::add_to(CLI::App& command) {
  one_of(
      command.add_option("--model", model,
                         "Instead of simulation: closed (the closed form of the RTL, also when "
                         "nothing follows) or published (the model of the architecture's authors)"),
      {"closed", "published", "rtl"})
      ->expected(0, 1)
      ->default_str("");
  text_of(command.add_option("--store", store,
                             "Measurement store; otherwise $BITTERN_STORE or the one in the cache "
                             "folder"),
          kFile);
  command.add_flag("--no-store", no_store, "Simulate everything, keep nothing");
  device.add_to(command);
}

LayerModel SourceArguments::what() const {
  if (!model) return LayerModel::kRtl;
  if (model->empty() || *model == "closed") return LayerModel::kClosed;
  if (*model == "published") return LayerModel::kPublished;
  if (*model == "rtl") return LayerModel::kRtl;
  fail_usage("--model: there is no model '{}'{}", *model,
             suggestion(*model, {"closed", "published", "rtl"}));
}

LayerSource SourceArguments::source(const CLI::App& command) const {
  LayerSource source;
  source.model = what();
  source.measurer = device.measurer(command);
  source.measurer.store = store;
  source.measurer.use_store = !no_store;
  return source;
}

std::string energy_note(const EnergyTable& energy) {
  return fmt::format(
      "Energy: table {}; device memory at {} {} ({}) for energy_uj, {} {} ({}) for "
      "energy_high_uj.\n",
      energy.name, energy.dram[0].number.value, energy.dram[0].number.unit, energy.dram[0].name,
      energy.dram[1].number.value, energy.dram[1].number.unit, energy.dram[1].name);
}

nlohmann::json dram_anchors_json(const EnergyTable& energy) {
  nlohmann::json anchors = nlohmann::json::array();
  for (const DramAnchor& anchor : energy.dram) {
    anchors.push_back({{"name", anchor.name},
                       {"value", anchor.number.value},
                       {"unit", anchor.number.unit},
                       {"source", anchor.number.source}});
  }
  return anchors;
}

}  // namespace bittern
