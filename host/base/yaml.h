#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bittern {

/// How much a YAML document may hold. Configuration files are small; whatever is beyond these is an
/// accident or an attack.
struct YamlLimits {
  std::size_t max_bytes = std::size_t{1} << 20;
  int max_depth = 32;
  std::size_t max_nodes = 100000;
};

/// Element of a YAML document that knows its file and line. Reading is strict: a getter that finds
/// anything but what it asks for throws Error (exit status 2) "file:line: key: what is wrong, what
/// was expected". Cheap to copy; keeps the document alive.
class YamlNode {
 public:
  /// Reads a file. Throws Error when it cannot be read, is too large, is not UTF-8 text, is not
  /// YAML, holds more than one document, or uses anchors, aliases or tags (which no file of ours
  /// needs).
  static YamlNode load(const std::filesystem::path& path, const YamlLimits& limits = {});
  /// The same from text; `file` is the name for messages.
  static YamlNode parse(std::string_view text, const std::string& file,
                        const YamlLimits& limits = {});

  /// The document with the element at `key` ("search.episodes", "constraints[0].ratio") replaced by
  /// `value` (YAML text) or added, as with an option of the command line. Messages about what was
  /// set name `origin` in place of file and line. Throws Error (exit status 2) when `key` leads
  /// nowhere. Call it on the root.
  YamlNode with(const std::string& key, const std::string& value, const std::string& origin) const;

  /// "file:line", or the origin of what with() has set.
  std::string where() const;
  /// Folder that relative paths in this element count from: that of its file; the current one
  /// (empty) for what with() has set.
  std::filesystem::path folder() const;
  /// Name of the file.
  const std::string& file() const;
  /// Line, from 1.
  int line() const;
  /// Path of keys from the root, for example "memory.latency_cycles" or "layers[2].kernel"; empty
  /// at the root.
  const std::string& path() const { return path_; }
  /// Throws Error "where(): path: message" with exit status 2.
  [[noreturn]] void fail(const std::string& message) const;

  bool is_null() const;
  bool is_scalar() const;
  bool is_sequence() const;
  bool is_mapping() const;

  /// Scalar as text; quoted or not. Must not be empty unless `allow_empty`.
  std::string text(bool allow_empty = false) const;
  /// Decimal or 0x integer within [low, high]; quoted numbers are refused.
  std::int64_t integer(std::int64_t low, std::int64_t high) const;
  /// Finite real number within [low, high]; quoted numbers are refused.
  double real(double low, double high) const;
  /// true or false.
  bool boolean() const;
  /// One of `choices`; the error names the nearest.
  std::string choice(const std::vector<std::string>& choices) const;
  /// Elements of a sequence with between min and max elements.
  std::vector<YamlNode> items(std::size_t min = 0, std::size_t max = 10000) const;
  /// Keys and values of a mapping with free keys, in file order.
  std::vector<std::pair<std::string, YamlNode>> entries(std::size_t min = 0,
                                                        std::size_t max = 10000) const;
  /// A sequence of integers, each within [low, high].
  std::vector<std::int64_t> integers(std::int64_t low, std::int64_t high, std::size_t min = 0,
                                     std::size_t max = 10000) const;

 private:
  friend class YamlMap;
  friend class YamlBuilder;
  struct Data;
  struct Document;
  YamlNode(std::shared_ptr<const Document> document, const Data* data, std::string path)
      : document_(std::move(document)), data_(data), path_(std::move(path)) {}
  [[noreturn]] void fail_at(const Data& place, const std::string& message) const;
  std::string described() const;

  std::shared_ptr<const Document> document_;
  const Data* data_ = nullptr;
  std::string path_;
};

/// Reader of a mapping with known keys. The constructor checks that `node` is a mapping and that
/// each of its keys is allowed: "file:line: unknown key 'latncy', did you mean 'latency'?".
///
///     YamlMap map(YamlNode::load(path), {"name", "clock_mhz"});
///     name = map.text("name");
///     clock = map.real("clock_mhz", 1, 1000, 200.0);   // last argument: value when absent
///
/// Getters without a fallback throw when the key is missing; a key with an empty (null) value
/// counts as missing, and says so.
class YamlMap {
 public:
  YamlMap(const YamlNode& node, std::vector<std::string> allowed);

  /// The mapping itself, for where() and fail().
  const YamlNode& node() const { return node_; }
  /// Whether the key is there.
  bool has(const std::string& key) const;
  /// Value of a key; throws when missing.
  YamlNode at(const std::string& key) const;
  /// Value of a key, if there.
  std::optional<YamlNode> find(const std::string& key) const;

  std::string text(const std::string& key) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  std::int64_t integer(const std::string& key, std::int64_t low, std::int64_t high) const;
  std::int64_t integer(const std::string& key, std::int64_t low, std::int64_t high,
                       std::int64_t fallback) const;
  double real(const std::string& key, double low, double high) const;
  double real(const std::string& key, double low, double high, double fallback) const;
  bool boolean(const std::string& key) const;
  bool boolean(const std::string& key, bool fallback) const;
  std::string choice(const std::string& key, const std::vector<std::string>& choices) const;
  std::string choice(const std::string& key, const std::vector<std::string>& choices,
                     const std::string& fallback) const;

 private:
  YamlNode node_;
  std::vector<std::string> allowed_;
};

/// Candidate nearest to `word` by edit distance, or empty when none is near enough to be a likely
/// slip. For "did you mean" in messages.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// ", did you mean 'y'?" or ", expected one of a, b, c" (at most eight): the tail of a message
/// about an unknown word.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace bittern
