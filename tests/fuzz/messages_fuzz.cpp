// Payloads of the device protocol: the first byte chooses the message, the rest is its payload.
#include "host/protocol/messages.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bittern::Bytes payload(data + 1, size - 1);
  bittern::fuzz::expect_value_or_error([&] {
    switch (data[0] % 10) {
      case 0:
        bittern::decode_hello(payload);
        break;
      case 1:
        bittern::decode_identity(payload);
        break;
      case 2:
        bittern::decode_memory_range(payload);
        break;
      case 3:
        bittern::decode_memory_write(payload);
        break;
      case 4:
        bittern::decode_words(payload);
        break;
      case 5:
        bittern::decode_register_writes(payload);
        break;
      case 6:
        bittern::decode_run(payload);
        break;
      case 7:
        bittern::decode_run_result(payload);
        break;
      case 8:
        bittern::decode_trace(payload);
        break;
      case 9:
        bittern::decode_error(payload);
        break;
    }
  });
  return 0;
}
