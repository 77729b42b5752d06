#pragma once

#include <string>
#include <vector>

#include "host/result/result.h"

namespace bittern {

/// A uniform policy that exceeds no limit by more than this factor counts as little dearer.
constexpr double kLittleDearer = 1.25;

/// "97.45 +-0.35": an accuracy in percent with its standard error in points; without the error
/// where the number of images is not known.
std::string accuracy_text(double percent, std::size_t images);

/// "+0.50 points (95 % interval -0.21 to +1.21, paired over 2000 images)".
std::string difference_text(const PairedDifference& difference);

/// Of the uniform policies that exceed no limit by more than kLittleDearer, the cheapest (by the
/// first constraint) that is clearly better than the found one: the whole interval of the paired
/// difference on the test set is on its side. nullptr when there is none, or when nothing was
/// scored image by image.
const PolicyOutcome* clearly_better_uniform(const CampaignResult& result);

/// What a campaign shows, in sentences that summary and report share: found against the best
/// uniform policy within the limits, against one that costs little more and is clearly better,
/// among how many policies it was chosen. No sentence claims a difference whose interval holds 0.
std::vector<std::string> campaign_verdict(const CampaignResult& result);

/// "all rtl", or how many layers of all policies are of which origin.
std::string campaign_origins(const CampaignResult& result);

}  // namespace bittern
