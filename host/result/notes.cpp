#include "host/result/notes.h"

namespace bittern {

std::string notes_text(const CampaignResult& result) {
  std::string text;
  for (const auto& [name, value] : result.provenance) {
    if (name == kNotTimed || name == kWideSums) text.append(name).append(": ") += value + "\n";
  }
  return text;
}

}  // namespace bittern
