#include "apps/bittern/quantiser_options.h"

#include "apps/bittern/option_kinds.h"
#include "host/base/data_sets.h"
#include "host/base/error.h"

namespace bittern {
namespace {

constexpr int kMostImages = 10000000;

}  // namespace

void BitsArguments::add_to(CLI::App& command) {
  text_of(command.add_option("--policy", policy,
                             "Bits of every layer, as policy.json of a campaign has them"),
          kFile);
  whole_number(command.add_option("--wbits", weight_bits, "Weight bits of every layer"), 1, 8);
  whole_number(command.add_option("--abits", activation_bits, "Activation bits of every layer"), 1,
               8);
}

void BitsArguments::check() const {
  const bool widths = weight_bits != 0 || activation_bits != 0;
  if (policy.empty() != widths || (widths && (weight_bits == 0 || activation_bits == 0))) {
    fail_usage("expected --policy FILE, or --wbits and --abits for every layer");
  }
}

void ImageArguments::add_to(CLI::App& command) {
  one_of(command.add_option("--dataset", dataset, "Images"), dataset_names())
      ->capture_default_str();
  text_of(command.add_option("--data", data,
                             "Folder of the data set; default: $BITTERN_DATA, ./data, "
                             "../shared/data"),
          kFolder);
  whole_number(command.add_option("--resize", resize,
                                  "Of images of any size: pixels of the shorter side before the "
                                  "middle is cut out; 0: as the network's input just fits"),
               0, 65536)
      ->capture_default_str();
  whole_number(command.add_option("--train-images", train_images, "0: all, 8000 for synthetic"), 0,
               kMostImages)
      ->capture_default_str();
  whole_number(command.add_option("--validation-images", validation_images,
                                  "Cut from the training set; 0: 5000, 1000 for synthetic"),
               0, kMostImages)
      ->capture_default_str();
}

void QuantiserArguments::add_to(CLI::App& command, const std::vector<std::string>& kinds) {
  one_of(command.add_option("--weights", weights, "What values quantised weights may have"), kinds)
      ->capture_default_str();
  const std::vector<std::string> ranges = {"max", "kl", "mse", "percentile", "haq"};
  one_of(command.add_option("--weight-range", weight_range,
                            "How clipping thresholds of linear weights are found"),
         ranges)
      ->capture_default_str();
  one_of(command.add_option("--activation-range", activation_range, "Likewise of activations"),
         ranges)
      ->capture_default_str();
  command.add_flag("--per-channel", per_channel,
                   "A scale for each output channel of linear weights");
  whole_number(command.add_option("--calibration-images", calibration_images,
                                  "Training images that activation thresholds are found from"),
               1, kMostImages)
      ->capture_default_str();
  command.add_flag("--re-estimate", re_estimate,
                   "Estimate folded batch norms anew behind the quantisers");
  command.add_flag("--equalise", equalise,
                   "Even out the weights of neighbouring layers first, channel by "
                   "channel");
}

void QuantiserArguments::check() const {
  if (weights != "linear" && (per_channel || weight_range != "mse")) {
    fail_usage("--per-channel and --weight-range are for --weights linear");
  }
}

}  // namespace bittern
