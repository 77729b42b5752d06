#include "agent/nn/checkpoint.h"

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "agent/nn/input_scaling.h"
#include "agent/nn/training.h"
#include "host/base/error.h"
#include "host/base/text.h"
#include "host/base/yaml.h"
#include "host/network/node_tensors.h"

namespace bittern {
namespace {

using Extents = std::vector<std::int64_t>;

/// What other frameworks call a tensor of a batch norm.
const std::map<std::string, std::vector<std::string>>& other_words() {
  static const std::map<std::string, std::vector<std::string>> kWords = {
      {"weight", {"gamma"}},
      {"bias", {"beta"}},
      {"running_mean", {"moving_mean"}},
      {"running_var", {"moving_variance", "moving_var"}}};
  return kWords;
}

bool ends_in(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// What Bittern keeps with quantised weights, under names of nodes.
bool of_quantisers(const std::string& name) {
  for (const char* end : {".weight_codes", ".weight_scale", ".weight_codebook", ".activation_scale",
                          kStoredScale, kBoundDivisors}) {
    if (ends_in(name, end)) return true;
  }
  return false;
}

/// What a file may hold besides weights.
bool passed_over(const std::string& name) {
  return ends_in(name, ".num_batches_tracked") || of_quantisers(name);
}

/// The word with its dot that begins all names; empty without one.
std::string common_word(const TensorFile& file) {
  std::string word;
  for (const auto& [name, tensor] : file.tensors) {
    const std::size_t dot = name.find('.');
    const std::string first = dot == std::string::npos ? "" : name.substr(0, dot + 1);
    if (first.empty() || (!word.empty() && first != word)) return "";
    word = first;
  }
  return word;
}

Extents without_ones(Extents shape) {
  while (!shape.empty() && shape.back() == 1) shape.pop_back();
  return shape;
}

std::string shape_text(const Extents& shape) {
  return shape.empty() ? "one value" : fmt::format("{}", fmt::join(shape, "x"));
}

class Fitting {
 public:
  Fitting(const Network& network, const TensorFile& file, const std::string& where)
      : network_(network), file_(file), where_(where), word_(common_word(file)) {}

  TensorFile result() {
    TensorFile fitted;
    fitted.metadata = file_.metadata;
    for (const Node& node : network_.graph.nodes) {
      for (const NodeTensor& tensor : tensors_of(network_.graph, node)) {
        const std::string name = found(node, tensor);
        if (name.empty()) continue;
        StoredTensor stored = file_.tensors.at(name);
        if (without_ones(stored.shape) != without_ones(tensor.shape)) {
          fail_usage("{}: tensor '{}' has shape {}, network {} needs {} for '{}'", where_,
                     shortened(name), shape_text(stored.shape), network_.name,
                     shape_text(tensor.shape), node.name);
        }
        stored.shape = tensor.shape;
        fitted.tensors[node.name + "." + tensor.name] = std::move(stored);
      }
    }
    if (!missing_.empty()) fail_missing();
    for (const auto& [name, tensor] : file_.tensors) {
      if (of_quantisers(name)) fitted.tensors.emplace(name, tensor);
    }
    warn_of_rest();
    return fitted;
  }

 private:
  /// Names under which a tensor may be stored.
  std::vector<std::string> candidates(const Node& node, const NodeTensor& tensor) const {
    std::vector<std::string> bases = {node.name};
    const auto stated = network_.tensor_names.find(node.name);
    if (stated != network_.tensor_names.end()) bases.push_back(stated->second);
    if (!word_.empty()) {
      for (std::size_t i = 0, count = bases.size(); i < count; ++i) {
        bases.push_back(word_ + bases[i]);
      }
    }
    std::vector<std::string> words = {tensor.name};
    if (node.op == Op::kBatchNorm) {
      const auto& others = other_words().at(tensor.name);
      words.insert(words.end(), others.begin(), others.end());
    }
    std::vector<std::string> names;
    for (const std::string& base : bases) {
      for (const std::string& word : words) names.push_back(base + "." + word);
    }
    return names;
  }

  /// The one that is there; empty, and kept as missing, where there is none.
  std::string found(const Node& node, const NodeTensor& tensor) {
    std::string name;
    for (const std::string& candidate : candidates(node, tensor)) {
      if (file_.tensors.count(candidate) == 0 || candidate == name) continue;
      if (!name.empty()) {
        fail_usage("{}: both '{}' and '{}' could be '{}.{}' of network {}: remove one of them",
                   where_, shortened(name), shortened(candidate), node.name, tensor.name,
                   network_.name);
      }
      name = candidate;
    }
    if (name.empty()) {
      missing_.emplace_back(node.name, tensor);
    } else if (!used_.insert(name).second) {
      fail_usage("{}: tensor '{}' would be that of two nodes of network {}, '{}' the second",
                 where_, shortened(name), network_.name, node.name);
    }
    return name;
  }

  std::vector<std::string> rest() const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : file_.tensors) {
      if (used_.count(name) > 0 || passed_over(name)) continue;
      // A layer of codes whose batch norm was folded has a bias; so has the batch norm.
      const std::string layer = name.substr(0, name.rfind('.'));
      if (name == layer + ".bias" && file_.tensors.count(layer + ".weight_codes") > 0) continue;
      names.push_back(name);
    }
    return names;
  }

  [[noreturn]] void fail_missing() const {
    const auto& [node, tensor] = missing_.front();
    const std::string wanted = node + "." + tensor.name;
    std::vector<std::string> others = rest();
    // Those that could be meant: of the same kind and shape.
    std::vector<std::string> fitting;
    for (const std::string& other : others) {
      if (ends_in(other, "." + tensor.name) &&
          without_ones(file_.tensors.at(other).shape) == without_ones(tensor.shape)) {
        fitting.push_back(other);
      }
    }
    std::string hint;
    if (fitting.size() == 1) {
      const std::string name = fitting[0].substr(0, fitting[0].size() - tensor.name.size() - 1);
      hint = fmt::format(
          "; '{}' has this shape and no place: if it is meant, write tensors: {{{}: {}}} into the "
          "network's file",
          shortened(fitting[0]), node, shortened(name));
    } else {
      const std::vector<std::string>& among = fitting.empty() ? others : fitting;
      const std::string near = nearest(wanted, among);
      if (!near.empty()) {
        hint = fmt::format("; the nearest name without a place is '{}' ({})", shortened(near),
                           shape_text(file_.tensors.at(near).shape));
      } else if (!among.empty()) {
        if (others.size() > 8) others.resize(8);
        hint = fmt::format("; without a place are: {}{}", fmt::join(others, ", "),
                           others.size() < rest().size() ? ", ..." : "");
      }
    }
    fail_usage("{}: there is no tensor '{}' ({}) for network {}{}{}", where_, wanted,
               shape_text(tensor.shape), network_.name,
               missing_.size() > 1 ? fmt::format(", nor {} others", missing_.size() - 1) : "",
               hint);
  }

  void warn_of_rest() const {
    std::vector<std::string> names = rest();
    if (names.empty()) return;
    const std::size_t count = names.size();
    if (count > 4) names.resize(4);
    for (std::string& name : names) name = shortened(name);
    spdlog::warn("{}: {} tensors have no place in network {}: {}{}", where_, count, network_.name,
                 fmt::join(names, ", "), count > names.size() ? ", ..." : "");
  }

  const Network& network_;
  const TensorFile& file_;
  const std::string where_;
  const std::string word_;
  std::set<std::string> used_;
  std::vector<std::pair<std::string, NodeTensor>> missing_;  ///< node and tensor
};

}  // namespace

Network with_stated_bounds(Network network, const TensorFile& checkpoint,
                           const std::string& where) {
  for (Node& node : network.graph.nodes) {
    const auto found = checkpoint.tensors.find(node.name + kBoundDivisors);
    if (found == checkpoint.tensors.end()) continue;
    const std::vector<float> divisors = checkpoint.floats(found->first, where);
    const bool positive = std::all_of(divisors.begin(), divisors.end(),
                                      [](float d) { return d > 0 && std::isfinite(d); });
    if (node.op != Op::kClip || !positive ||
        divisors.size() != static_cast<std::size_t>(node.shape.channels)) {
      fail_usage("{}: tensor '{}': expected {} positive numbers for a clip of as many channels",
                 where, found->first, node.shape.channels);
    }
    node.attributes.deviation.assign(divisors.begin(), divisors.end());
  }
  return network;
}

TensorFile fitted_checkpoint(const Network& network, const TensorFile& file,
                             const std::string& where) {
  check_scaling(network, file, where);
  return Fitting(network, file, where).result();
}

TensorFile read_checkpoint(const Network& network, const std::filesystem::path& path) {
  TensorFile fitted = fitted_checkpoint(network, read_safetensors(path), path.string());
  check_checkpoint(network, fitted, path.string());
  return fitted;
}

}  // namespace bittern
