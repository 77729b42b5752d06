// What 4-bit weights save in every layer of a network, timed on RTL.
#include <bittern/bittern.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: measure NETWORK VARIANT, for example: measure lenet bismo_tiny\n");
    return 2;
  }
  try {
    const bittern::api::Session session;
    const auto wide = session.measure(argv[1], argv[2], {{8, 8}});
    const auto narrow = session.measure(argv[1], argv[2], {{4, 8}});
    for (std::size_t i = 0; i < wide.layers.size(); ++i) {
      std::printf("%-12s %10llu -> %10llu cycles (%s)\n", wide.layers[i].name.c_str(),
                  static_cast<unsigned long long>(wide.layers[i].cycles),
                  static_cast<unsigned long long>(narrow.layers[i].cycles),
                  narrow.layers[i].origin.c_str());
    }
    std::printf("%-12s %10.3g -> %10.3g s\n", "network", wide.latency_s, narrow.latency_s);
  } catch (const bittern::api::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.usage() ? 2 : 1;
  }
}
