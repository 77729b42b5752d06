#include "agent/campaign/loaded_data.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "agent/data/quality.h"
#include "host/base/hash.h"

namespace bittern {
namespace {

std::string key_of(const DataOptions& o, int choice_images) {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", o.name, o.folder, o.validation_images,
                     o.train_images, o.test_images, o.synthetic_seed, o.split_seed, o.channels,
                     o.height, o.width, o.resize, choice_images);
}

/// The last of the validation images, which are in random order.
void set_aside(int wanted, DataSplits& splits) {
  if (wanted == 0) return;
  std::vector<int> seen(static_cast<std::size_t>(splits.validation.size() - wanted));
  std::vector<int> aside(static_cast<std::size_t>(wanted));
  std::iota(seen.begin(), seen.end(), 0);
  std::iota(aside.begin(), aside.end(), static_cast<int>(seen.size()));
  splits.choice = subset(splits.validation, aside);
  splits.validation = subset(splits.validation, seen);
  splits.hash = sha256_hex(fmt::format("{} choice {}", splits.hash, wanted));
}

}  // namespace

std::shared_ptr<const LoadedData> DataKeeper::load(const DataOptions& options, int choice_images,
                                                   const std::shared_ptr<Phases>& phases) {
  const std::string key = key_of(options, choice_images);
  if (kept_ && key_ == key) return kept_;
  kept_.reset();  // before the next takes as much memory
  const Phase phase(phases, "reading " + options.name);
  auto loaded = std::make_shared<LoadedData>();
  loaded->splits = load_data(options);
  loaded->warnings = data_warnings(loaded->splits);
  set_aside(choice_images, loaded->splits);
  key_ = key;
  kept_ = std::move(loaded);
  return kept_;
}

}  // namespace bittern
