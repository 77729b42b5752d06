#include "host/campaign/result_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/result/notes.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A result whose found policy has these bits in all layers, and whose uniform ones are 2/2.
CampaignResult result_of(const Network& network, BitPair bits) {
  CampaignResult result;
  PolicyOutcome two;
  for (const Layer& layer : network.layers) {
    result.best.layers.push_back({layer.name, bits, 0, 0, 0, "rtl"});
    two.layers.push_back({layer.name, {2, 2}, 0, 0, 0, "rtl"});
  }
  result.uniform.push_back(two);
  return result;
}

std::string notes_of(const CampaignHardware& hardware, const Network& network,
                     const CampaignResult& result) {
  CampaignResult noted;
  noted.provenance = result_notes(hardware, network, result);
  return notes_text(noted);
}

std::string notes_of(const Network& network, const CampaignResult& result) {
  Campaign campaign;
  campaign.variant = "bismo_tiny";
  return notes_of(load_hardware(campaign, network), network, result);
}

TEST(ResultNotes, SayWhatIsNotTimed) {
  const Network lenet = load_network("lenet");
  const std::string notes = notes_of(lenet, result_of(lenet, {8, 8}));
  EXPECT_THAT(notes, HasSubstr("not timed: pooling; "));
  EXPECT_THAT(notes, Not(HasSubstr("sums beyond")));
  EXPECT_THAT(notes_of(CampaignHardware(), lenet, result_of(lenet, {8, 8})),
              HasSubstr("the table leaves out"))
      << "a table has no variant";
}

TEST(ResultNotes, NameLayersWithWideSumsOfAnyPolicy) {
  Network network = load_network("lenet");
  network.layers[2].in_channels = 138000;
  EXPECT_THAT(notes_of(network, result_of(network, {8, 8})),
              HasSubstr("sums beyond 32 bits: fc1 (34 bits); "));
  EXPECT_THAT(notes_of(network, result_of(network, {4, 4})), Not(HasSubstr("sums beyond")));
  CampaignResult result = result_of(network, {4, 4});
  result.uniform[0].layers[2].bits = {8, 8};
  EXPECT_THAT(notes_of(network, result), HasSubstr("fc1 (34 bits)"));
}

}  // namespace
}  // namespace bittern
