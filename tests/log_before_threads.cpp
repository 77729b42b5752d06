// Part of the tests that run under ThreadSanitizer. spdlog's library is not instrumented, so that
// the sanitizer does not see the guard of its registry, which the first line of the log makes, and
// takes the lines of two threads for a race. Here it is made before there are threads, as the
// programs do.
#include <spdlog/spdlog.h>

namespace {

[[maybe_unused]] const spdlog::logger* const kMade = spdlog::default_logger_raw();

}  // namespace
