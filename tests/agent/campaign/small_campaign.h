#pragma once

#include "host/campaign/campaign.h"

namespace bittern {

/// A campaign of some seconds, priced by the closed form.
inline Campaign small_campaign() {
  Campaign campaign;
  campaign.name = "test";
  campaign.network = "lenet";
  campaign.variant = "bismo_tiny";
  campaign.cost = "model";
  campaign.data.train_images = 300;
  campaign.data.validation_images = 100;
  campaign.data.test_images = 100;
  campaign.model.epochs = 1;
  campaign.evaluator.calibration_images = 32;
  campaign.constraints = {{"latency", true, 0.5}};
  campaign.search.episodes = 8;
  campaign.search.warmup = 3;
  campaign.search.hidden1 = campaign.search.hidden2 = 16;
  campaign.search.pin_first_last = false;
  campaign.final.epochs = 1;
  return campaign;
}

}  // namespace bittern
