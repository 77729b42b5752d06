#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/result/episodes.h"
#include "host/result/result.h"

namespace bittern {

/// One finished search with what it left on the disk.
struct AnalysedCell {
  std::filesystem::path folder;
  CampaignResult result;
  std::vector<nlohmann::json> lines;  ///< of episodes.jsonl; none where the file is missing
  std::vector<Episode> episodes;      ///< the same, read

  /// Network, hardware and limits: cells that share it differ in method and seed alone.
  /// "lenet on bismo_edge, latency 0.25 of 8/8".
  std::string problem() const;
  /// Its limits alone: "latency 0.25 of 8/8".
  std::string limits() const;
  /// Highest accuracy, in percent, of the policies within the limits that the search scored so far,
  /// after each evaluation; not a number before the first of them.
  std::vector<double> best_so_far() const;
};

/// What a list of directories holds.
struct AnalysedCampaigns {
  std::vector<AnalysedCell> cells;
  std::vector<std::string> notes;  ///< what was left out, and why; a sentence each

  /// The problems of the cells, in their order, each once.
  std::vector<std::string> problems() const;
  /// The methods of the cells, in their order, each once.
  std::vector<std::string> methods() const;
  /// The cell of a problem, a method and a seed; nullptr where there is none.
  const AnalysedCell* find(const std::string& problem, const std::string& method,
                           std::uint64_t seed) const;
  /// The seeds that a problem has with a method, ascending.
  std::vector<std::uint64_t> seeds(const std::string& problem, const std::string& method) const;
};

/// Reads directories of `bittern run`: of one cell (result.json is in it), or of many (in its
/// folders). Searches that were stopped or are not finished are left out with a note. Throws Error
/// (exit status 2) when a directory is not there or holds no results, or when two of them hold the
/// same problem, method and seed; Error naming the file when one is damaged, or when cells of one
/// network and seed do not share their full-precision accuracy, so that nothing can be paired.
AnalysedCampaigns read_campaigns(const std::vector<std::filesystem::path>& folders);

/// The accuracies that cells are judged by: the best ones that all of them have.
enum class Judge {
  kChoice,      ///< of the final networks (tuned, where that is asked for), on images kept from
                ///< searches
  kValidation,  ///< of the final networks, on the images of the search: flatters every method
  kSearch,      ///< as the search saw it
};

/// "choice images, final networks", ...
const char* judge_name(Judge judge);

Judge judge_of(const std::vector<AnalysedCell>& cells);

/// Accuracy of the found policy, percent.
double score(const AnalysedCell& cell, Judge judge);

}  // namespace bittern
