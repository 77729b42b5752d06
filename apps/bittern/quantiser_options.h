#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace bittern {

// What commands that compute quantised networks on images have in common, without LibTorch.

/// Options for the bits of every layer.
struct BitsArguments {
  std::string policy;       ///< file; empty: the two widths
  int weight_bits = 0;      ///< 0: not given
  int activation_bits = 0;  ///< 0: not given

  void add_to(CLI::App& command);
  /// Whether any of them is given.
  bool any() const { return !policy.empty() || weight_bits != 0 || activation_bits != 0; }
  /// Throws Error (exit status 2) unless a file or both widths are given.
  void check() const;
};

/// Options for images.
struct ImageArguments {
  std::string dataset = "synthetic";
  std::string data;
  int resize = 0;  ///< pixels of the shorter side, of images of any size; 0: as the input just fits
  int train_images = 0;
  int validation_images = 0;

  void add_to(CLI::App& command);
};

/// Options for quantisers.
struct QuantiserArguments {
  std::string weights = "linear";
  std::string weight_range = "mse";
  std::string activation_range = "mse";
  bool per_channel = false;
  int calibration_images = 256;
  bool re_estimate = false;
  bool equalise = false;

  /// `kinds`: what weights may be.
  void add_to(CLI::App& command, const std::vector<std::string>& kinds);
  /// Throws Error (exit status 2) for options that do not go together.
  void check() const;
};

}  // namespace bittern
