#pragma once

#include "agent/campaign/fake_quant_source.h"
#include "agent/rl/ddpg/haq.h"
#include "host/campaign/campaign.h"

namespace bittern {

/// HAQ with so many episodes of warm-up, small enough for tests.
inline ConfiguredMethod small_haq(int warmup = 3) {
  HaqOptions options;
  options.warmup_episodes = warmup;
  options.agent.hidden1 = options.agent.hidden2 = 16;
  return configure_haq(options);
}

inline FakeQuantSettings small_evaluator() {
  FakeQuantSettings settings;
  settings.calibration_images = 32;
  return settings;
}

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
  campaign.evaluator = configure_fake_quant(small_evaluator());
  campaign.constraints = {{"latency", true, 0.5}};
  campaign.search.episodes = 8;
  campaign.method = small_haq();
  campaign.search.pin_first_last = false;
  campaign.final.epochs = 1;
  return campaign;
}

}  // namespace bittern
