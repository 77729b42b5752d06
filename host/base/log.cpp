#include "host/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "host/base/error.h"
#include "host/base/yaml.h"

namespace bittern {

const std::vector<std::string>& log_levels() {
  static const std::vector<std::string> levels = {"trace",   "debug", "info",
                                                  "warning", "error", "off"};
  return levels;
}

void start_logging(const std::string& level) {
  const auto& levels = log_levels();
  if (std::find(levels.begin(), levels.end(), level) == levels.end()) {
    fail_usage("unknown log level '{}'{}", level, suggestion(level, levels));
  }
  auto logger = std::make_shared<spdlog::logger>(
      "bittern", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("bittern: %^%l%$: %v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace bittern
