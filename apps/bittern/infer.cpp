#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/nn/training.h"
#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/infer_options.h"
#include "apps/bittern/layer_options.h"
#include "apps/bittern/quantised_command.h"
#include "host/analysis/layer_report.h"
#include "host/base/json.h"
#include "host/base/phase.h"
#include "host/cores/cores.h"
#include "host/evaluator/answers.h"
#include "host/execute/inference.h"
#include "host/network/io/network_weights.h"
#include "host/network/quantisation.h"

namespace bittern {
namespace {

/// All that the answer is printed from.
struct Answer {
  const Network& network;
  const Variant& variant;
  const QuantisedNetwork& integers;
  const Inference& inference;
  const EnergyTable& energy;
  std::vector<LayerReport> layers;  ///< of all runs together
  Answers answers;
  bool random_weights = false;
  bool own_scales = false;  ///< of a checkpoint that was made for these bits
  std::string dataset;
};

std::uint64_t moved(const InferredLayer& layer) {
  return layer.bytes_to_device + layer.bytes_from_device;
}

Table table_of(const Answer& answer) {
  Table table;
  table.text_column("layer").integer_column("wbits").integer_column("abits");
  table.integer_column("runs").integer_column("cycles").integer_column("cycles_a_run").spare();
  table.real_column("latency_us", "", 1);
  table.real_column("energy_uj", "", 2).real_column("energy_high_uj", "", 2).spare();
  table.integer_column("host_bytes").spare();
  table.integer_column("bytes_to_device").detail().integer_column("bytes_from_device").detail();
  table.integer_column("counters_that_differ").detail();
  table.text_column("schedule").detail().text_column("key").detail();
  const LayerReport total = total_report(answer.layers);
  std::int64_t to = 0;
  std::int64_t from = 0;
  for (std::size_t i = 0; i < answer.layers.size(); ++i) {
    const LayerReport& report = answer.layers[i];
    const InferredLayer& layer = answer.inference.layers[i];
    to += static_cast<std::int64_t>(layer.bytes_to_device);
    from += static_cast<std::int64_t>(layer.bytes_from_device);
    table.row(
        {report.name, std::int64_t{layer.bits.weight}, std::int64_t{layer.bits.activation},
         static_cast<std::int64_t>(layer.runs), static_cast<std::int64_t>(report.cycles),
         static_cast<std::int64_t>(layer.measured.cycles), report.latency_s * 1e6,
         report.energy_j * 1e6, report.energy_high_j * 1e6, static_cast<std::int64_t>(moved(layer)),
         static_cast<std::int64_t>(layer.bytes_to_device),
         static_cast<std::int64_t>(layer.bytes_from_device),
         static_cast<std::int64_t>(layer.data_dependent().size()), report.schedule, report.key});
  }
  table.total({total.name,
               {},
               {},
               static_cast<std::int64_t>(answer.inference.runs),
               static_cast<std::int64_t>(total.cycles),
               {},
               total.latency_s * 1e6,
               total.energy_j * 1e6,
               total.energy_high_j * 1e6,
               to + from,
               to,
               from,
               {},
               {},
               {}});
  return table;
}

/// Counters that depend on data, over all layers: real tensors against random ones.
std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> data_dependent(
    const Inference& inference) {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> sums;
  for (const InferredLayer& layer : inference.layers) {
    for (const auto& [event, counts] : layer.data_dependent()) {
      sums[event].first += counts.first;
      sums[event].second += counts.second;
    }
  }
  return sums;
}

std::string difference_text(const Answer& answer) {
  const InferenceDifference& d = *answer.inference.difference;
  const Layer& layer = answer.integers.layers[d.layer];
  std::string text =
      fmt::format("image {}, layer {} on {}: ", d.image, layer.name, answer.variant.name);
  if (!d.fault.empty()) {
    text += d.fault;
  } else {
    text +=
        fmt::format("output {} {} is {}, expected {}; {} of {} outputs differ", d.index,
                    output_position(layer, d.index), d.got, d.expected, d.count, layer.outputs());
  }
  if (d.trace.path.empty()) return text + fmt::format("\nno trace: {}\n", d.trace.problem);
  return text + fmt::format("\ntrace of cycles {} to {}: {}\n", d.trace.first_cycle,
                            d.trace.last_cycle, d.trace.path);
}

nlohmann::json difference_json(const Answer& answer) {
  if (!answer.inference.difference) return nullptr;
  const InferenceDifference& d = *answer.inference.difference;
  nlohmann::json out = {{"image", d.image},
                        {"layer", answer.integers.layers[d.layer].name},
                        {"trace", d.trace.path},
                        {"trace_problem", d.trace.problem}};
  if (!d.fault.empty()) {
    out["fault"] = d.fault;
  } else {
    out["index"] = d.index;
    out["expected"] = d.expected;
    out["got"] = d.got;
    out["count"] = d.count;
  }
  return out;
}

double images_per_second(const Answer& answer) {
  const double seconds = total_report(answer.layers).latency_s;
  const auto computed = static_cast<double>(answer.inference.batches) * answer.variant.batch;
  return seconds > 0 ? computed / seconds : 0.0;
}

double accuracy(const Answers& answers) {
  std::size_t correct = 0;
  for (std::size_t i = 0; i < answers.images(); ++i) correct += answers.correct(i) ? 1 : 0;
  return answers.empty()
             ? 0.0
             : 100.0 * static_cast<double>(correct) / static_cast<double>(answers.images());
}

void print_text(const Answer& answer, const InferArguments& arguments, const CLI::App& command) {
  const Inference& in = answer.inference;
  std::cout << fmt::format("{} on {}: batch {}, {} MHz\n\n", answer.network.name,
                           answer.variant.name, answer.variant.batch, answer.variant.clock_mhz)
            << arguments.table.render(table_of(answer), command) << "\n";
  std::cout << fmt::format(
      "{} runs of layers on the RTL: {} layers, {} batch{} of {}{}.\n", in.runs, in.layers.size(),
      in.batches, in.batches == 1 ? "" : "es", answer.variant.batch,
      in.blank_images > 0 ? fmt::format(" ({} blank images fill the last one)", in.blank_images)
                          : "");
  if (in.difference) {
    std::cout << "Different: " << difference_text(answer);
    return;
  }
  std::cout << "Outputs of every layer and the answers equal those of integers: 0 differences.\n";
  const std::size_t images = answer.answers.images();
  std::cout << fmt::format(
      "Accuracy on {} test images of {}: {:.2f} % (+-{:.2f}), agreement with integers 100.00 "
      "%{}.\n",
      images, answer.dataset, accuracy(answer.answers),
      accuracy_standard_error(accuracy(answer.answers), images),
      answer.random_weights ? "; the weights are random, so this means nothing" : "");
  if (answer.own_scales) std::cout << "Scales are those that the checkpoint has for these bits.\n";
  std::cout << fmt::format(
      "Cycles of every run are those measured with random tensors (RTL {}, {} measured now).\n",
      in.rtl_hash.substr(0, 16), in.simulated);
  const auto differing = data_dependent(in);
  if (differing.empty()) {
    std::cout << "Counters that depend on data: none.\n";
  } else {
    std::cout << "Counters that depend on data, real tensors against random ones:";
    for (const auto& [event, counts] : differing) {
      std::cout << fmt::format(" {} {} to {};", event, counts.first, counts.second);
    }
    std::cout << "\n";
  }
  std::cout << fmt::format(
      "Speed: {} images/s at {} MHz without the host; {:.3g} images/s simulated"
      " here ({:.1f} s).\n",
      si(images_per_second(answer), ""), answer.variant.clock_mhz,
      static_cast<double>(images) / std::max(in.seconds, 1e-9), in.seconds);
  std::uint64_t bytes = 0;
  for (const InferredLayer& layer : in.layers) bytes += moved(layer);
  std::cout << fmt::format(
      "Between the layers the host stands: it wrote and read {} bytes of device memory, and "
      "rescales,"
      " pools and adds in integers.\n",
      bytes);
  if (!in.requantise.empty()) {
    std::cout << fmt::format(
        "{} is off here: the programs write sums, which `bittern measure` of this variant does "
        "not.\n",
        in.requantise);
  }
  std::cout << energy_note(answer.energy);
}

void print_json(const Answer& answer) {
  const Inference& in = answer.inference;
  nlohmann::json dependent = nlohmann::json::object();
  for (const auto& [event, counts] : data_dependent(in)) {
    dependent[event] = {{"real", counts.first}, {"random", counts.second}};
  }
  nlohmann::json logits = nlohmann::json::array();
  for (const std::vector<float>& answer_of_image : in.logits) logits.push_back(answer_of_image);
  const LayerReport total = total_report(answer.layers);
  const nlohmann::json out = {
      {"format", "bittern-infer-1"},
      {"network", answer.network.name},
      {"integers", answer.integers.hash()},
      {"random_weights", answer.random_weights},
      {"scales", answer.own_scales ? "checkpoint" : "calibrated"},
      {"dataset", answer.dataset},
      {"variant", answer.variant.name},
      {"batch", answer.variant.batch},
      {"clock_mhz", answer.variant.clock_mhz},
      {"rtl_hash", in.rtl_hash},
      {"images", answer.answers.images()},
      {"batches", in.batches},
      {"blank_images", in.blank_images},
      {"runs", in.runs},
      {"cycles", total.cycles},
      {"energy_j", total.energy_j},
      {"energy_high_j", total.energy_high_j},
      {"images_per_second", images_per_second(answer)},
      {"seconds", in.seconds},
      {"accuracy",
       in.difference ? nlohmann::json(nullptr) : nlohmann::json(accuracy(answer.answers))},
      {"answers", answer.answers.text()},
      {"logits", logits},
      {"difference", difference_json(answer)},
      {"data_dependent_counters", dependent},
      {"switched_off", in.requantise},
      {"energy_table", answer.energy.name},
      {"layers", table_of(answer).json()},
      {"dram_anchors", dram_anchors_json(answer.energy)}};
  std::cout << printed_json(out) << "\n";
}

Answers answers_of(const Inference& inference, const std::vector<int>& labels) {
  std::vector<bool> correct;
  for (std::size_t i = 0; i < inference.logits.size(); ++i) {
    const std::vector<float>& logits = inference.logits[i];
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    correct.push_back(best == labels[i]);
  }
  return Answers(correct);
}

void infer(const InferArguments& arguments, const CLI::App& command) {
  const auto phases = make_phases(command);
  const Network network = load_network(arguments.network);
  require_trainable(network);
  const bool stated = has_quantisers(network.graph);
  check_bits(arguments.bits, arguments.quantisers, network);
  Variant variant = load_variant(arguments.variant);
  if (arguments.batch > 0) variant.batch = arguments.batch;
  const EnergyTable energy = load_energy_table(variant.energy);
  const std::unique_ptr<Core> core = make_core(variant);
  const Policy policy = stated ? Policy() : policy_of(arguments.bits, network);
  for (std::size_t i = 0; i < policy.size(); ++i) {
    network_job(*core, variant, network.layers[i], policy[i]);  // bits that the core has
  }
  const bool random = arguments.checkpoint.empty() && !has_weights(network);
  const TensorFile checkpoint = random ? random_checkpoint(network, arguments.seed)
                                       : weights_of(arguments.checkpoint, network);
  const DataOptions data = data_options(arguments.data, network);
  const DataOutline outline = outline_data(data);
  check_data_fits(network, data.name, outline);
  if (arguments.images > outline.test) {
    fail_usage("--images {}: data set {} has {} test images", arguments.images, data.name,
               outline.test);
  }
  const QuantisedImages work =
      quantise(network, checkpoint, policy, arguments.quantisers, data, arguments.images, phases);
  const QuantisedNetwork& integers = work.integers;
  InferenceOptions inference;
  inference.measurer = arguments.device.measurer(command);
  inference.measurer.runner.phases = phases;
  inference.measurer.store = arguments.store;
  inference.measurer.use_store = !arguments.no_store;
  inference.trace_folder = arguments.trace_folder;
  const Inference found = infer(integers, variant, work.images, inference);

  Answer answer{
      network, variant,         integers, found, energy, {}, answers_of(found, work.labels),
      random,  work.own_scales, data.name};
  for (const InferredLayer& layer : found.layers) {
    // Behind a difference no layer was run, and nothing is counted that could be reported.
    if (found.difference && layer.total.events.empty()) break;
    answer.layers.push_back(
        report_layer(layer.job.layer, layer.bits, layer.total, *core, variant, energy));
  }
  switch (arguments.table.format()) {
    case OutputFormat::kTable:
      print_text(answer, arguments, command);
      break;
    case OutputFormat::kJson:
      print_json(answer);
      break;
    case OutputFormat::kCsv:
      std::cout << arguments.table.render(table_of(answer), command);
      if (found.difference) std::cerr << difference_text(answer);
      break;
  }
  if (found.difference) throw CLI::RuntimeError(1);
}

}  // namespace

void add_infer(CLI::App& app) {
  add_infer_command(app, [](const InferArguments& arguments, const CLI::App& command) {
    infer(arguments, command);
  });
}

}  // namespace bittern
