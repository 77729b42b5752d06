#include "host/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/base/yaml.h"

namespace bittern {
namespace {

/// What is logged may quote a device or a file.
class PrintableMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string text =
        printable_lines(std::string_view(message.payload.data(), message.payload.size()));
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<PrintableMessage>();
  }
};

std::unique_ptr<spdlog::formatter> formatter_of(const std::string& pattern) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PrintableMessage>('*').set_pattern(pattern);
  return formatter;
}

using Sinks = spdlog::sinks::dist_sink_mt;

/// Our logger has one sink that hands on to stderr and to files.
std::shared_ptr<Sinks> sinks_of_logger() {
  const auto& sinks = spdlog::default_logger()->sinks();
  return sinks.size() == 1 ? std::dynamic_pointer_cast<Sinks>(sinks.front()) : nullptr;
}

/// The logger passes on what one of its sinks wants.
void adjust_level(Sinks& sinks) {
  auto level = spdlog::level::off;
  for (const auto& sink : sinks.sinks()) level = std::min(level, sink->level());
  spdlog::set_level(level);
}

}  // namespace

const std::vector<std::string>& log_levels() {
  static const std::vector<std::string> levels = {"trace",   "debug", "info",
                                                  "warning", "error", "off"};
  return levels;
}

void start_logging(const std::string& level, ColourMode colour) {
  const auto& levels = log_levels();
  if (std::find(levels.begin(), levels.end(), level) == levels.end()) {
    fail_usage("unknown log level '{}'{}", level, suggestion(level, levels));
  }
  auto errors = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  errors->set_color_mode(colours_on(STDERR_FILENO, colour) ? spdlog::color_mode::always
                                                           : spdlog::color_mode::never);
  // On a terminal a meter may stand in the line.
  errors->set_formatter(formatter_of(is_terminal(STDERR_FILENO) ? "\r\x1b[Kbittern: %^%l%$: %*"
                                                                : "bittern: %^%l%$: %*"));
  errors->set_level(spdlog::level::from_str(level));
  auto sinks = std::make_shared<Sinks>();
  sinks->add_sink(std::move(errors));
  auto logger = std::make_shared<spdlog::logger>("bittern", sinks);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  adjust_level(*sinks);
}

bool logged_on_stderr(const std::string& level) {
  const auto sinks = sinks_of_logger();
  return sinks && sinks->sinks().front()->should_log(spdlog::level::from_str(level));
}

struct LogFile::Sink {
  std::shared_ptr<spdlog::sinks::basic_file_sink_mt> file;
  std::shared_ptr<Sinks> sinks;
};

LogFile::LogFile(const std::filesystem::path& file) : sink_(std::make_unique<Sink>()) {
  if (!sinks_of_logger()) start_logging("warning");
  sink_->sinks = sinks_of_logger();
  try {
    sink_->file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  } catch (const spdlog::spdlog_ex& error) {
    fail("{}: cannot write the log: {}", file.string(), error.what());
  }
  sink_->file->set_formatter(formatter_of("%Y-%m-%d %H:%M:%S.%e %l: %*"));
  sink_->file->set_level(std::min(sink_->sinks->sinks().front()->level(), spdlog::level::info));
  sink_->sinks->add_sink(sink_->file);
  adjust_level(*sink_->sinks);
  spdlog::default_logger()->flush_on(spdlog::level::info);
}

LogFile::~LogFile() {
  sink_->sinks->remove_sink(sink_->file);
  adjust_level(*sink_->sinks);
}

}  // namespace bittern
