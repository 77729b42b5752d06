#pragma once

#include "agent/data/dataset.h"
#include "agent/nn/training.h"
#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {

/// Float weights with the images that they were trained on.
struct TrainedNetwork {
  DataSplits data;
  TensorFile checkpoint;
};

/// A network trained for some epochs on drawn digits, so many of each part.
inline TrainedNetwork trained_on_digits(const Network& network, int train_images,
                                        int validation_images, int test_images, int epochs) {
  DataOptions options;
  options.train_images = train_images;
  options.validation_images = validation_images;
  options.test_images = test_images;
  TrainOptions train;
  train.epochs = epochs;
  train.threads = 2;
  train.device = TensorDevice::kCpu;
  TrainedNetwork out{load_data(options), {}};
  out.checkpoint = train_network(network, out.data, train, {}).checkpoint;
  return out;
}

}  // namespace bittern
