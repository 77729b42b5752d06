#include "apps/bittern/doctor_verilator.h"

#include <algorithm>
#include <sstream>

#include "apps/bittern/process.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

/// Logic of the kinds that Verilator 5.006 is known to get wrong when its bit-operation trees are
/// optimised (issues 4059, 4832, 4837, 4857 and 5186 of verilator/verilator describe the
/// mechanisms; the modules are our own), and of the kinds that our accelerators are made of.
constexpr const char* kModule = R"sv(
module bittern_doctor (
  input  logic        clk_i,
  input  logic [31:0] a_i,
  input  logic [31:0] b_i,
  input  logic [31:0] c_i,
  input  logic [31:0] d_i,
  output logic        xnor_tree_o,
  output logic        not_and_xor_o,
  output logic        shifted_and_o,
  output logic        shifted_or_o,
  output logic        concat_and_o,
  output logic        negated_compare_o,
  output logic        parity_compare_o,
  output logic [8:0]  popcount_o,
  output logic [31:0] bit_serial_o,
  output logic [31:0] slice_o
);
  logic [127:0] w_q;
  always_ff @(posedge clk_i) w_q <= {d_i, c_i, b_i, a_i};

  // XOR and XNOR of single bits of a wide register.
  logic n0, n1, n2, n3;
  assign n0 = ~(w_q[127] ^ w_q[90]);
  assign n1 = ~(w_q[70] ^ w_q[66]);
  assign n2 = w_q[50] ^ w_q[45];
  assign n3 = ~(w_q[9] ^ w_q[20]);
  assign xnor_tree_o = ~(~(n0 ^ n1) ^ ~(n2 ^ n3));

  // XOR over negated ANDs.
  logic [63:0] folded;
  assign folded = (w_q[63:0] | w_q[127:64]) >> 5;
  assign not_and_xor_o = (~((!w_q[124] ^ folded[35]) ^ (!(w_q[20] & w_q[88])))) ^
                         (~((w_q[127] & w_q[118]) ^ (w_q[119] & folded[43])));

  // Negation of one bit of a shifted AND or OR of slices.
  logic [31:0] both, either;
  assign both   = (w_q[63:32] & w_q[31:0]) >> 5;
  assign either = (w_q[63:32] | w_q[31:0]) >> 9;
  always_ff @(posedge clk_i) shifted_and_o <= !both[0] & w_q[51];
  always_ff @(posedge clk_i) shifted_or_o <= !either[0] | w_q[62];

  // AND of small concatenations, in the middle of a wide signal.
  logic        less;
  logic [1:0]  joined;
  logic [95:0] spread;
  assign less   = w_q[77] < w_q[70];
  assign joined = {w_q[50], less} & {w_q[41], less};
  assign {spread[41:40], spread[3]} = {joined, w_q[66:65] < w_q[80:79]};
  assign concat_and_o = spread[41] ^ spread[40] ^ spread[3];

  // != as XOR, of negated values, below an OR.
  logic g0, g1, g2, g3;
  assign g0 = ~(w_q[90] & w_q[40]);
  assign g1 = w_q[40] & ~g0;
  assign g2 = g1 & ~w_q[40];
  assign g3 = g0 != g2;
  assign negated_compare_o = |{w_q[91], g3};

  // Parity beside another bit, compared with a slice.
  assign parity_compare_o = {w_q[3], ^w_q[38:33]} != w_q[41:40];

  // What a dot-product unit does: AND, count ones, double, add or subtract.
  logic [255:0] x, y;
  logic [8:0]   ones;
  assign x    = {w_q, w_q[63:0], w_q[127:64]};
  assign y    = {w_q[31:0], w_q[127:32], ~w_q};
  assign ones = 9'($countones(x & y));
  always_ff @(posedge clk_i) popcount_o <= ones;
  logic [31:0] acc_q, base, term;
  assign base = w_q[2:0] == 3'd0 ? 32'd0 : w_q[3] ? acc_q << 1 : acc_q;
  assign term = w_q[4] ? ~{23'd0, ones} + 32'd1 : {23'd0, ones};
  initial acc_q = 32'd0;
  always_ff @(posedge clk_i) acc_q <= base + term;
  assign bit_serial_o = acc_q;

  // A slice at a computed place.
  always_ff @(posedge clk_i) slice_o <= x[32*w_q[7:5]+:32];
endmodule
)sv";

constexpr const char* kDriver = R"cpp(
#include <cstdint>
#include <cstdio>
#include "Vbittern_doctor.h"
#include "verilated.h"

  namespace {
  using Word = std::uint32_t;
  struct Wide {
    Word word[4] = {0, 0, 0, 0};
    int bit(int i) const { return (word[i / 32] >> (i % 32)) & 1; }
    Word slice(int high, int low) const {
      Word out = 0;
      for (int i = high; i >= low; --i) out = out << 1 | Word(bit(i));
      return out;
    }
  };
  int x_bit(const Wide& w, int i) {
    return i < 64 ? w.bit(64 + i) : i < 128 ? w.bit(i - 64) : w.bit(i - 128);
  }
  int y_bit(const Wide& w, int i) {
    return i < 128 ? !w.bit(i) : i < 224 ? w.bit(i - 96) : w.bit(i - 224);
  }
  Word popcount(const Wide& w) {
    Word ones = 0;
    for (int i = 0; i < 256; ++i) ones += Word(x_bit(w, i) && y_bit(w, i));
    return ones;
  }
  int folded(const Wide& w, int i) { return w.bit(i + 5) || w.bit(i + 69); }
  std::uint64_t state = 0x853c49e6748fea9bull;
  Word draw() {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return Word(state >> 32);
  }
  }  // namespace

  int main() {
    constexpr int kSamples = 4000;
    VerilatedContext context;
    Vbittern_doctor top(&context);
    const char* names[] = {
        "xnor_tree",       "not_and_xor",    "shifted_and", "shifted_or", "concat_and",
        "negated_compare", "parity_compare", "popcount",    "bit_serial", "slice"};
    int wrong[10] = {};
    Wide before, now;
    Word acc = 0;
    for (int n = 0; n < kSamples + 2; ++n) {
      Wide next;
      for (Word& word : next.word) word = draw();
      top.a_i = next.word[0];
      top.b_i = next.word[1];
      top.c_i = next.word[2];
      top.d_i = next.word[3];
      top.clk_i = 0;
      top.eval();
      top.clk_i = 1;
      top.eval();
      before = now;
      now = next;
      if (n < 2) {
        acc = top.bit_serial_o;
        continue;
      }
      const Wide& w = now;
      const auto not_xor = [](int a, int b) { return int(a == b); };
      const int xnor_tree =
          not_xor(not_xor(not_xor(w.bit(127), w.bit(90)), not_xor(w.bit(70), w.bit(66))),
                  not_xor(w.bit(50) != w.bit(45), not_xor(w.bit(9), w.bit(20))));
      const int not_and_xor = not_xor((!w.bit(124)) != folded(w, 35), !(w.bit(20) && w.bit(88))) !=
                              not_xor(w.bit(127) && w.bit(118), w.bit(119) && folded(w, 43));
      const int less = w.bit(77) < w.bit(70);
      const int concat_and =
          ((w.bit(50) && w.bit(41)) + less + int(w.slice(66, 65) < w.slice(80, 79))) % 2;
      const int g0 = !(w.bit(90) && w.bit(40));
      const int g2 = w.bit(40) && !g0 && !w.bit(40);
      int parity = 0;
      for (int i = 33; i <= 38; ++i) parity ^= w.bit(i);
      const Wide& b = before;
      const Word base = b.slice(2, 0) == 0 ? 0 : b.bit(3) ? acc << 1 : acc;
      acc = b.bit(4) ? base - popcount(b) : base + popcount(b);
      Word slice = 0;
      for (int i = 31; i >= 0; --i) slice = slice << 1 | Word(x_bit(b, int(32 * b.slice(7, 5)) + i));
      wrong[0] += top.xnor_tree_o != xnor_tree;
      wrong[1] += top.not_and_xor_o != not_and_xor;
      wrong[2] += top.shifted_and_o != (!(b.bit(37) && b.bit(5)) && b.bit(51));
      wrong[3] += top.shifted_or_o != (!(b.bit(41) || b.bit(9)) || b.bit(62));
      wrong[4] += top.concat_and_o != concat_and;
      wrong[5] += top.negated_compare_o != (w.bit(91) || g0 != g2);
      wrong[6] += top.parity_compare_o != (Word(2 * w.bit(3) + parity) != w.slice(41, 40));
      wrong[7] += top.popcount_o != popcount(b);
      wrong[8] += top.bit_serial_o != acc;
      wrong[9] += top.slice_o != slice;
    }
    for (int i = 0; i < 10; ++i) std::printf("%s %d %d\n", names[i], wrong[i], kSamples);
    return 0;
  }
)cpp";

/// The end of a tool's output: errors come last.
std::string last_lines(const std::string& text) {
  constexpr std::size_t kMost = 800;
  return text.size() > kMost ? "..." + text.substr(text.size() - kMost) : text;
}

}  // namespace

std::vector<std::string> device_verilator_flags() {
  std::istringstream words(BITTERN_VERILATOR_FLAGS);
  std::vector<std::string> flags;
  for (std::string word; words >> word;) flags.push_back(word);
  return flags;
}

std::vector<PatternResult> check_verilator(const std::vector<std::string>& flags) {
  const TemporaryFolder folder("bittern-doctor");
  write_file(folder.path() / "bittern_doctor.sv", kModule);
  write_file(folder.path() / "driver.cpp", kDriver);
  std::vector<std::string> command = {"verilator", "--cc",       "--exe",        "--build",
                                      "-Wno-lint", "-Wno-fatal", "--top-module", "bittern_doctor",
                                      "-Mdir",     "build"};
  command.insert(command.end(), flags.begin(), flags.end());
  command.insert(command.end(), {"bittern_doctor.sv", "driver.cpp"});
  const ToolResult built = run_tool(command, 300.0, folder.path());
  if (!built.found) fail("verilator was not found");
  if (!built.good()) {
    fail("Verilator could not build the test patterns{}:\n{}",
         built.timed_out ? " within 300 s" : "", last_lines(built.output));
  }
  const ToolResult run = run_tool({"./build/Vbittern_doctor"}, 60.0, folder.path());
  if (!run.good()) fail("the Verilated test patterns did not run:\n{}", last_lines(run.output));
  std::vector<PatternResult> results;
  std::istringstream lines(run.output);
  PatternResult result;
  while (lines >> result.name >> result.wrong >> result.samples) results.push_back(result);
  if (results.empty()) fail("the Verilated test patterns printed nothing");
  return results;
}

}  // namespace bittern
