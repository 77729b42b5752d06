// Configuration files: each input is read as a network, a variant, an energy table and a campaign.
#include "host/campaign/accuracy_source.h"
#include "host/campaign/campaign.h"
#include "host/cores/cores.h"
#include "host/energy/energy.h"
#include "host/network/network.h"
#include "host/search/methods.h"
#include "host/variant/variant.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using bittern::fuzz::expect_value_or_error;
  const bittern::fuzz::InputFile file(bittern::fuzz::as_text(data, size), ".yaml");
  const std::string path = file.path().string();
  expect_value_or_error([&] { bittern::load_network(path); });
  expect_value_or_error([&] { bittern::load_variant(path); });
  expect_value_or_error([&] { bittern::load_energy_table(path); });
  const bittern::CampaignKinds kinds = {bittern::host_methods(), bittern::host_evaluators()};
  expect_value_or_error([&] { bittern::load_campaign(path, {}, &kinds); });
  expect_value_or_error([&] { bittern::load_cells(path); });
  return 0;
}
