#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/data/dataset.h"
#include "host/base/phase.h"

namespace bittern {

/// Data as a campaign uses it.
struct LoadedData {
  DataSplits splits;                  ///< with the choice images set aside
  std::vector<std::string> warnings;  ///< data_warnings() of it
};

/// Keeps what was loaded last: the cells of a campaign work on the same images, and reading them
/// takes longer than many a search. Not thread-safe.
class DataKeeper {
 public:
  /// The data of `options`, of whose validation images the last `choice_images` become
  /// DataSplits::choice. A phase of `phases` where they are read. Throws Error as load_data() and
  /// data_warnings() do.
  std::shared_ptr<const LoadedData> load(const DataOptions& options, int choice_images,
                                         const std::shared_ptr<Phases>& phases);

 private:
  std::string key_;  ///< of `kept_`
  std::shared_ptr<const LoadedData> kept_;
};

}  // namespace bittern
