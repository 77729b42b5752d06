#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/span.h"
#include "host/integer/quantised_network.h"
#include "host/run/failure_trace.h"
#include "host/run/measurer.h"

namespace bittern {

/// How a network is computed on devices.
struct InferenceOptions {
  MeasurerOptions measurer;  ///< the devices, and the store of measurements
  /// Where the trace of a first difference goes.
  std::filesystem::path trace_folder = ".";
};

/// One layer on the devices, over all batches.
struct InferredLayer {
  LayerJob job;          ///< without data
  BitPair bits;          ///< of the policy; those of the job are what the core has for them
  Measurement measured;  ///< of this layer with random data: one run
  std::size_t runs = 0;
  /// Of all runs with the real tensors together.
  Measurement total;
  /// What the host wrote into device memory (operands, instructions) and read back, in bytes.
  std::uint64_t bytes_to_device = 0;
  std::uint64_t bytes_from_device = 0;

  /// Events that real tensors raised more or less often than random ones, with both counts (the
  /// random one times the runs). Cycles are never among them.
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> data_dependent() const;
};

/// Where the devices first computed something else than integers do.
struct InferenceDifference {
  std::size_t layer = 0;
  std::size_t image = 0;
  std::size_t index = 0;  ///< of the output within the image's, [channel][row][column]
  std::int32_t expected = 0;
  std::int32_t got = 0;
  std::size_t count = 0;  ///< outputs of the image that differ
  /// Instead of an output: the device stopped, or took other cycles than were measured.
  std::string fault;
  FailureTrace trace;
};

/// What came of images that went through a network, every layer of it on devices.
struct Inference {
  std::vector<InferredLayer> layers;
  std::vector<std::vector<float>> logits;  ///< of each image; empty after a difference
  std::size_t batches = 0;
  std::size_t blank_images = 0;  ///< that fill the last batch
  std::size_t runs = 0;          ///< of layers on devices, all together
  double seconds = 0.0;          ///< that they took, with the host's part between them
  std::string rtl_hash;
  std::size_t simulated = 0;  ///< measurements with random data that were made for this
  std::string requantise;     ///< what was switched off of the variant, for people; mostly empty
  std::optional<InferenceDifference> difference;
};

/// The variant as infer() runs it: its programs write the sums as they are. Measurements of it have
/// a key of their own where the variant requantises otherwise.
Variant writing_sums(Variant variant);

/// Computes `images` (bytes, planes of rows) with every layer on devices of a variant: the host
/// gives each run the real weights and activations of a batch and takes its sums; what stands
/// between the layers (bias, rescaling, pooling, adding) it computes in integers. Images go through
/// a layer in batches of the variant's size, so that one run is the program that `measure`
/// measures; a last batch is filled with blank images. Every sum is compared with integers that run
/// beside (IntegerExecutor) and with the reference of host/integer, and the cycles of every run
/// with the measurement. The first difference ends it. Throws Error as Measurer does, and for bits
/// that the core does not have.
Inference infer(const QuantisedNetwork& network, const Variant& variant,
                const std::vector<Bytes>& images, const InferenceOptions& options);

}  // namespace bittern
