#include "agent/campaign/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "host/base/error.h"

namespace bittern {
namespace {

/// Widths from min_bits to max_bits that the hardware runs as they are. One that it rounds up costs
/// what the wider one costs and computes less exactly, so there is nothing in it for a search. A
/// table says itself what its hardware can do: the widths of its rows.
std::vector<int> searched_widths(const Campaign& campaign, const CampaignHardware& hardware,
                                 int BitPair::*operand) {
  const SearchSettings& s = campaign.search;
  const std::vector<int> in_table =
      hardware.table ? hardware.table->widths(operand) : std::vector<int>();
  std::vector<int> widths;
  for (int b = s.min_bits; b <= s.max_bits; ++b) {
    const bool there = hardware.table
                           ? std::find(in_table.begin(), in_table.end(), b) != in_table.end()
                           : hardware.runs({b, b}).*operand == b;
    if (there) widths.push_back(b);
  }
  if (!widths.empty()) return widths;
  if (hardware.table) {
    fail_usage(
        "search: min_bits {} to max_bits {}: {} has no such {} bits for network {}; it has {}",
        s.min_bits, s.max_bits, campaign.table,
        operand == &BitPair::weight ? "weight" : "activation", hardware.table->network().name,
        in_table.empty() ? "no row for any of its layers"
                         : fmt::format("{}", fmt::join(in_table, " ")));
  }
  fail_usage("search: min_bits {} to max_bits {}: {} (core {}) rounds them all up to {} bits",
             s.min_bits, s.max_bits, hardware.name, hardware.variant->core,
             hardware.runs({s.max_bits, s.max_bits}).*operand);
}

}  // namespace

HaqOptions haq_options(const Campaign& campaign, const CampaignHardware& hardware) {
  const SearchSettings& s = campaign.search;
  HaqOptions out;
  out.bits.mode = parse_bit_mode(s.mode);
  out.bits.weight_bits = searched_widths(campaign, hardware, &BitPair::weight);
  out.bits.activation_bits = searched_widths(campaign, hardware, &BitPair::activation);
  out.bits.pin_first_last = s.pin_first_last;
  out.wall.mode = parse_wall_mode(s.wall);
  out.wall.epsilon = s.must_pay_share;
  out.agent.hidden1 = s.hidden1;
  out.agent.hidden2 = s.hidden2;
  out.agent.actor_rate = s.actor_rate;
  out.agent.critic_rate = s.critic_rate;
  out.agent.batch = s.batch;
  out.warmup_episodes = s.warmup;
  out.noise = s.noise;
  out.noise_decay = s.noise_decay;
  out.store = parse_stored_action(s.replay);
  return out;
}

std::vector<Constraint> search_constraints(const Campaign& campaign) {
  std::vector<Constraint> constraints;
  for (const auto& c : campaign.constraints) {
    constraints.push_back({parse_resource(c.resource), c.is_ratio, c.limit});
  }
  return constraints;
}

DataOptions data_options(const Campaign& campaign, const std::string& folder) {
  DataOptions data;
  data.name = campaign.data.dataset;
  data.folder = folder;
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

FakeQuantOptions evaluator_options(const Campaign& campaign) {
  const EvaluatorSettings& e = campaign.evaluator;
  FakeQuantOptions quant;
  quant.weights.method = threshold_method_of(e.weight_range);
  quant.weights.per_channel = e.per_channel;
  quant.activations = threshold_method_of(e.activation_range);
  quant.calibration_images = e.calibration_images;
  quant.fine_tune.batch = e.batch;
  quant.fine_tune.epochs = e.finetune_images > 0 ? 1 : 0;
  quant.fine_tune.max_batches = (e.finetune_images + e.batch - 1) / e.batch;
  quant.fine_tune.optimiser.learning_rate = e.finetune_rate;
  quant.fine_tune.optimiser.rate_name = "evaluator.finetune_rate";
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
  return tune;
}

}  // namespace bittern
