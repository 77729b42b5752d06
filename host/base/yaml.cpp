#include "host/base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <sstream>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/text.h"
#include "host/base/yaml_data.h"

namespace bittern {

namespace {

/// Position of the first byte that is not part of UTF-8 text, or that begins a control character
/// other than tab, newline and carriage return; npos when there is none.
std::size_t first_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Utf8 c = utf8_at(text, i);
    const bool layout = c.code == '\t' || c.code == '\n' || c.code == '\r';
    if (c.bytes == 0 || (steers_terminal(c.code) && !layout)) return i;
    i += c.bytes;
  }
  return std::string_view::npos;
}

int line_of(std::string_view text, std::size_t position) {
  return 1 + static_cast<int>(
                 std::count(text.begin(), text.begin() + std::min(position, text.size()), '\n'));
}

std::string join(const std::vector<std::string>& words, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < words.size() && i < most; ++i) {
    if (i > 0) out += ", ";
    out += words[i];
  }
  if (words.size() > most) out += ", ...";
  return out;
}

}  // namespace

/// Builds our tree from yaml-cpp's events. yaml-cpp's own nodes are not used: they keep duplicate
/// keys silently, expand aliases, and check neither depth nor size.
class YamlBuilder : public YAML::EventHandler {
 public:
  YamlBuilder(YamlNode::Document& document, const YamlLimits& limits)
      : document_(document), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    place(mark, YamlKind::kNull, "", false);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    stop(mark, "aliases (*name) are not accepted; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    // Quoted text can spell what the file may not hold itself.
    if (printable_lines(value) != value) {
      stop(mark, "control characters are not accepted: " + printable(value.substr(0, 60)));
    }
    place(mark, YamlKind::kScalar, value, tag == "!");
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    open(mark, YamlKind::kSequence);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    open(mark, YamlKind::kMapping);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  using Data = YamlNode::Data;
  struct Open {
    Data* data;
    bool has_key = false;
    int key_line = 0;
    std::set<std::string> seen;
  };

  [[noreturn]] void stop(const YAML::Mark& mark, const std::string& message) const {
    fail_usage("{}:{}: {}", document_.file, mark.line + 1, message);
  }
  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != 0) stop(mark, "anchors (&name) are not accepted");
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!") {
      stop(mark, "tags (" + tag.substr(0, 40) + ") are not accepted");
    }
  }

  Data* place(const YAML::Mark& mark, YamlKind kind, const std::string& value, bool quoted) {
    if (++nodes_ > limits_.max_nodes) {
      stop(mark, fmt::format("more than {} elements in one file", limits_.max_nodes));
    }
    Data data;
    data.kind = kind;
    data.quoted = quoted;
    data.line = mark.line + 1;
    data.scalar = value;
    if (open_.empty()) {
      document_.root = std::move(data);
      return &document_.root;
    }
    Open& top = open_.back();
    if (top.data->kind == YamlKind::kMapping && !top.has_key) {
      if (kind != YamlKind::kScalar) stop(mark, "a key must be plain text");
      if (value.empty()) stop(mark, "an empty key");
      if (!top.seen.insert(value).second) stop(mark, "duplicate key '" + shortened(value) + "'");
      top.data->keys.push_back(value);
      top.has_key = true;
      top.key_line = mark.line + 1;
      return nullptr;
    }
    // A block under a key starts a line later; people look for the key.
    if (top.has_key) data.line = top.key_line;
    top.has_key = false;
    top.data->children.push_back(std::move(data));
    return &top.data->children.back();
  }
  void open(const YAML::Mark& mark, YamlKind kind) {
    if (static_cast<int>(open_.size()) >= limits_.max_depth) {
      stop(mark, fmt::format("nested deeper than {} levels", limits_.max_depth));
    }
    // The pointer stays good: siblings are only added after this element is closed.
    open_.push_back({place(mark, kind, "", false), false, 0, {}});
  }

  YamlNode::Document& document_;
  const YamlLimits& limits_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

YamlNode YamlNode::load(const std::filesystem::path& path, const YamlLimits& limits) {
  std::string text;
  try {
    text = read_file(path, limits.max_bytes);
  } catch (const Error& error) {
    throw Error(error.what(), ExitStatus::kUsage);
  }
  return parse(text, path.string(), limits);
}

YamlNode YamlNode::parse(std::string_view text, const std::string& file, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    fail_usage("{}: larger than {} bytes, which is more than such a file may have", file,
               limits.max_bytes);
  }
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  const std::size_t bad = first_bad_byte(text);
  if (bad != std::string_view::npos) {
    fail_usage("{}:{}: byte 0x{:02x} is not UTF-8 text: this is not a YAML file", file,
               line_of(text, bad), static_cast<unsigned char>(text[bad]));
  }
  auto document = std::make_shared<Document>();
  document->file = file;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    YamlBuilder builder(*document, limits);
    if (!parser.HandleNextDocument(builder)) fail_usage("{}: the file is empty", file);
    Document rest;
    rest.file = file;
    YamlBuilder second(rest, limits);
    if (parser.HandleNextDocument(second)) {
      fail_usage("{}:{}: a second document; one file holds one", file, rest.root.line);
    }
  } catch (const YAML::Exception& error) {
    if (error.mark.is_null()) fail_usage("{}: not valid YAML: {}", file, error.msg);
    fail_usage("{}:{}: not valid YAML: {}", file, error.mark.line + 1, error.msg);
  }
  const Data* root = &document->root;
  return YamlNode(std::move(document), root, "");
}

std::string YamlNode::where() const {
  return data_->origin.empty() ? fmt::format("{}:{}", document_->file, data_->line) : data_->origin;
}
std::filesystem::path YamlNode::folder() const {
  return data_->origin.empty() ? std::filesystem::path(document_->file).parent_path()
                               : std::filesystem::path();
}
const std::string& YamlNode::file() const { return document_->file; }
int YamlNode::line() const { return data_->line; }

void YamlNode::fail(const std::string& message) const { fail_at(*data_, message); }

void YamlNode::fail_at(const Data& place, const std::string& message) const {
  const std::string path = path_.empty() ? "" : path_ + ": ";
  if (place.origin.empty()) {
    fail_usage("{}:{}: {}{}", document_->file, place.line, path, message);
  }
  // What was set names its key already.
  const bool named = place.origin.find(path_) != std::string::npos;
  fail_usage("{}: {}{}", place.origin, named ? "" : path, message);
}

bool YamlNode::is_null() const { return data_->kind == YamlKind::kNull; }
bool YamlNode::is_scalar() const { return data_->kind == YamlKind::kScalar; }
bool YamlNode::is_sequence() const { return data_->kind == YamlKind::kSequence; }
bool YamlNode::is_mapping() const { return data_->kind == YamlKind::kMapping; }

std::string YamlNode::described() const {
  switch (data_->kind) {
    case YamlKind::kNull:
      return "nothing";
    case YamlKind::kSequence:
      return "a list";
    case YamlKind::kMapping:
      return "a mapping";
    case YamlKind::kScalar:
      break;
  }
  const std::string shown = shortened(data_->scalar, 60);
  return data_->quoted ? "\"" + shown + "\"" : "'" + shown + "'";
}

std::string YamlNode::text(bool allow_empty) const {
  if (!is_scalar()) fail("expected text, got " + described());
  if (data_->scalar.empty() && !allow_empty) fail("expected text, got an empty string");
  return data_->scalar;
}

std::int64_t YamlNode::integer(std::int64_t low, std::int64_t high) const {
  const std::string& s = data_->scalar;
  const std::size_t sign = !s.empty() && (s[0] == '-' || s[0] == '+') ? 1 : 0;
  const bool hex = s.size() > sign + 2 && s[sign] == '0' && (s[sign + 1] | 0x20) == 'x';
  const std::string_view digits = std::string_view(s).substr(sign + (hex ? 2 : 0));
  const bool good =
      is_scalar() && !data_->quoted && !digits.empty() &&
      std::all_of(digits.begin(), digits.end(), [hex](char c) {
        return (c >= '0' && c <= '9') || (hex && ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'));
      });
  if (!good) fail(fmt::format("expected an integer from {} to {}, got {}", low, high, described()));
  errno = 0;
  // Base 10 even with a leading zero: 010 is ten, not eight.
  const long long value = std::strtoll(s.c_str(), nullptr, hex ? 16 : 10);
  if (errno != 0 || value < low || value > high) {
    fail(fmt::format("{} is out of range, expected {} to {}", s.substr(0, 40), low, high));
  }
  return value;
}

double YamlNode::real(double low, double high) const {
  const std::string& s = data_->scalar;
  char* end = nullptr;
  const bool plain = is_scalar() && !data_->quoted && !s.empty() &&
                     s.find_first_not_of("0123456789+-.eE") == std::string::npos;
  const double value = plain ? std::strtod(s.c_str(), &end) : 0.0;
  if (!plain || end != s.c_str() + s.size()) {
    fail(fmt::format("expected a number from {} to {}, got {}", low, high, described()));
  }
  if (!std::isfinite(value) || value < low || value > high) {
    fail(fmt::format("{} is out of range, expected {} to {}", s.substr(0, 40), low, high));
  }
  return value;
}

bool YamlNode::boolean() const {
  if (is_scalar() && !data_->quoted) {
    if (data_->scalar == "true") return true;
    if (data_->scalar == "false") return false;
  }
  fail("expected true or false, got " + described());
}

std::string YamlNode::choice(const std::vector<std::string>& choices) const {
  if (!is_scalar()) fail("expected one of " + join(choices, 12) + ", got " + described());
  if (std::find(choices.begin(), choices.end(), data_->scalar) == choices.end()) {
    fail("unknown value " + described() + suggestion(data_->scalar, choices));
  }
  return data_->scalar;
}

std::vector<YamlNode> YamlNode::items(std::size_t min, std::size_t max) const {
  if (!is_sequence()) fail("expected a list, got " + described());
  if (data_->children.size() < min || data_->children.size() > max) {
    fail(fmt::format("expected a list of {} to {} elements, got {}", min, max,
                     data_->children.size()));
  }
  std::vector<YamlNode> out;
  for (std::size_t i = 0; i < data_->children.size(); ++i) {
    out.push_back(YamlNode(document_, &data_->children[i], fmt::format("{}[{}]", path_, i)));
  }
  return out;
}

std::vector<std::pair<std::string, YamlNode>> YamlNode::entries(std::size_t min,
                                                                std::size_t max) const {
  if (!is_mapping()) fail("expected a mapping (key: value), got " + described());
  if (data_->children.size() < min || data_->children.size() > max) {
    fail(fmt::format("expected {} to {} keys, got {}", min, max, data_->children.size()));
  }
  std::vector<std::pair<std::string, YamlNode>> out;
  for (std::size_t i = 0; i < data_->children.size(); ++i) {
    const std::string& key = data_->keys[i];
    out.emplace_back(
        key, YamlNode(document_, &data_->children[i], path_.empty() ? key : path_ + "." + key));
  }
  return out;
}

std::vector<std::int64_t> YamlNode::integers(std::int64_t low, std::int64_t high, std::size_t min,
                                             std::size_t max) const {
  std::vector<std::int64_t> out;
  for (const YamlNode& item : items(min, max)) out.push_back(item.integer(low, high));
  return out;
}

YamlMap::YamlMap(const YamlNode& node, std::vector<std::string> allowed)
    : node_(node), allowed_(std::move(allowed)) {
  for (const auto& [key, value] : node_.entries()) {
    if (std::find(allowed_.begin(), allowed_.end(), key) == allowed_.end()) {
      node_.fail_at(*value.data_,
                    "unknown key '" + shortened(key) + "'" + suggestion(key, allowed_));
    }
  }
}

std::optional<YamlNode> YamlMap::find(const std::string& key) const {
  if (std::find(allowed_.begin(), allowed_.end(), key) == allowed_.end()) {
    throw std::logic_error("YamlMap: key '" + key + "' is read but was not declared");
  }
  for (auto& [name, value] : node_.entries()) {
    if (name == key) {
      if (value.is_null())
        value.fail(
            "has no value (nothing, null and ~ mean that; quotes make them text); give one or "
            "remove the key");
      return value;
    }
  }
  return std::nullopt;
}

bool YamlMap::has(const std::string& key) const { return find(key).has_value(); }

YamlNode YamlMap::at(const std::string& key) const {
  const auto value = find(key);
  if (!value) node_.fail("missing key '" + key + "'");
  return *value;
}

std::string YamlMap::text(const std::string& key) const { return at(key).text(); }
std::string YamlMap::text(const std::string& key, const std::string& fallback) const {
  const auto value = find(key);
  return value ? value->text() : fallback;
}
std::int64_t YamlMap::integer(const std::string& key, std::int64_t low, std::int64_t high) const {
  return at(key).integer(low, high);
}
std::int64_t YamlMap::integer(const std::string& key, std::int64_t low, std::int64_t high,
                              std::int64_t fallback) const {
  const auto value = find(key);
  return value ? value->integer(low, high) : fallback;
}
double YamlMap::real(const std::string& key, double low, double high) const {
  return at(key).real(low, high);
}
double YamlMap::real(const std::string& key, double low, double high, double fallback) const {
  const auto value = find(key);
  return value ? value->real(low, high) : fallback;
}
bool YamlMap::boolean(const std::string& key) const { return at(key).boolean(); }
bool YamlMap::boolean(const std::string& key, bool fallback) const {
  const auto value = find(key);
  return value ? value->boolean() : fallback;
}
std::string YamlMap::choice(const std::string& key, const std::vector<std::string>& choices) const {
  return at(key).choice(choices);
}
std::string YamlMap::choice(const std::string& key, const std::vector<std::string>& choices,
                            const std::string& fallback) const {
  const auto value = find(key);
  return value ? value->choice(choices) : fallback;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  // Distances are doubled: an edit costs 2, a letter in the wrong case 1.
  constexpr std::size_t kEdit = 2;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::string best;
  // A slip changes about a third of a word at most; beyond that a suggestion misleads.
  std::size_t least = kEdit * std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (kEdit * word.size() > kEdit * candidate.size() + least) continue;
    if (kEdit * candidate.size() > kEdit * word.size() + least) continue;
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = kEdit * j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], kEdit * i);
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const char a = word[i - 1];
        const char b = candidate[j - 1];
        const std::size_t change = diagonal + (a == b ? 0 : lower(a) == lower(b) ? 1 : kEdit);
        diagonal = std::exchange(row[j], std::min({row[j] + kEdit, row[j - 1] + kEdit, change}));
      }
    }
    // A word of which nothing is left is not a slip of it.
    if (row.back() < least && row.back() < kEdit * std::max(word.size(), candidate.size())) {
      least = row.back();
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string best = nearest(word, candidates);
  if (!best.empty()) return ", did you mean '" + best + "'?";
  if (candidates.empty()) return "";
  return ", expected one of " + join(candidates, 8);
}

}  // namespace bittern
