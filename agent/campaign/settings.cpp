#include "agent/campaign/settings.h"

namespace bittern {

DataOptions data_options(const Campaign& campaign, const Network& network,
                         const std::string& folder) {
  DataOptions data;
  data.name = campaign.data.dataset;
  data.folder = folder.empty() ? campaign.data.folder : folder;
  set_image_size(data, network);
  data.resize = campaign.data.resize;
  data.validation_images = campaign.data.validation_images;
  data.train_images = campaign.data.train_images;
  data.test_images = campaign.data.test_images;
  data.synthetic_seed = campaign.data.seed;
  data.split_seed = campaign.data.seed;
  return data;
}

TrainOptions train_options(const Campaign& campaign) {
  TrainOptions train;
  train.epochs = campaign.model.epochs;
  train.batch = campaign.model.batch;
  train.optimiser.learning_rate = campaign.model.learning_rate;
  train.optimiser.rate_name = "model.learning_rate";
  train.seed = campaign.seed;
  return train;
}

FakeQuantOptions evaluator_options(const FakeQuantSettings& e, const Campaign& campaign) {
  FakeQuantOptions quant;
  quant.weights.kind = weight_kind_of(e.weights);
  quant.weights.method = threshold_method_of(e.weight_range);
  quant.weights.per_channel = e.per_channel;
  quant.activations = threshold_method_of(e.activation_range);
  quant.trained_ranges = e.activations == "pact";
  quant.integers = e.integers;
  quant.re_estimate = e.re_estimate;
  quant.equalise = e.equalise;
  quant.calibration_images = e.calibration_images;
  quant.screen = {e.screen_images, e.screen_images > 0 ? e.screen_points : 0.0};
  quant.fine_tune.batch = e.batch;
  quant.fine_tune.epochs = e.finetune_images > 0 ? 1 : 0;
  quant.fine_tune.max_batches = (e.finetune_images + e.batch - 1) / e.batch;
  quant.fine_tune.optimiser.learning_rate = e.finetune_rate;
  quant.fine_tune.optimiser.rate_name = "evaluator.finetune_rate";
  quant.float_weights = !campaign.search.fixed && campaign.search.mode == "a";
  quant.float_activations = !campaign.search.fixed && campaign.search.mode == "w";
  quant.seed = campaign.seed;
  return quant;
}

FineTuneOptions final_options(const Campaign& campaign) {
  FineTuneOptions tune;
  tune.epochs = campaign.final.epochs;
  tune.batch = campaign.final.batch;
  tune.optimiser.learning_rate = campaign.final.learning_rate;
  tune.optimiser.rate_name = "final.learning_rate";
  tune.optimiser.cosine = true;
  tune.augment = {campaign.final.flip, campaign.final.crop};
  return tune;
}

}  // namespace bittern
