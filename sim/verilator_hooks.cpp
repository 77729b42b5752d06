// What the libraries of Verilator and SystemC expect an executable to define.
#include "host/base/error.h"

namespace {

[[noreturn]] void stopped(const char* file, int line, const char* hierarchy, const char* message) {
  bittern::fail(
      "the simulated RTL stopped at {}:{} in {}: {}; this is a bug of the RTL or of its program",
      file ? file : "?", line, hierarchy ? hierarchy : "?", message ? message : "?");
}

}  // namespace

// Called when the RTL stops by itself: an error of ours instead of abort(), so that the host is
// told. Declared in verilated_funcs.h; the runtime is compiled with VL_USER_STOP and VL_USER_FATAL.
void vl_stop(const char* filename, int linenum, const char* hier) {
  stopped(filename, linenum, hier, "$stop or failed assertion");
}
void vl_fatal(const char* filename, int linenum, const char* hier, const char* msg) {
  stopped(filename, linenum, hier, msg);
}

// SystemC's library has a main() that calls this. Our executables have their own, so it is never
// called.
extern "C" int sc_main(int, char**) { return 1; }
