#pragma once

#include "messages/error.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One fault of a configuration file.
struct config_fault {
  std::string file;
  int line = 0;    ///< From 1.
  int column = 0;  ///< From 1.
  std::string key; ///< Path: "roles.http.port".
  std::string text;
};

/// Returns "file:line:column: key: text".
std::string to_string(const config_fault& fault);

/// One key that a component reads, as the component declares it.
struct config_key {
  std::string key;      ///< Path: "roles.http.port".
  std::string kind;     ///< "text", "true or false", "number 1..65535", "duration", "size", "list",
                        ///< "mapping", "secret".
  std::string standard; ///< The default; empty for secrets and lists without one.
};

/// One mapping of a YAML file, read key by key. Every problem is collected and
/// reported at once: unknown keys (with the nearest known name), wrong types,
/// values out of range, each with file:line:column.
///
/// A component owns a struct with defaults and lets `read` fill it; an absent
/// key keeps the default.
class section {
public:
  /// An empty mapping, for defaults.
  section();
  /// Reads a whole file. Errors: `ec::invalid_config` (syntax, size, aliases, not readable).
  static caf::expected<section> from_file(const std::string& path);
  /// Reads text; `name` stands for the file in messages.
  static caf::expected<section> from_text(std::string_view text, std::string name);

  /// Overwrites `out` if `key` is present. Durations ("90s", "10m", "500ms") and
  /// byte sizes ("10MiB", with `read_size`) need a unit.
  void read(const char* key, std::string& out);
  void read(const char* key, bool& out);
  void read(const char* key, double& out, double min, double max);
  void read(const char* key, std::chrono::milliseconds& out);
  void read(const char* key, std::vector<std::string>& out);
  void read(const char* key, std::map<std::string, std::string>& out);
  template <class Int>
  void read(const char* key, Int& out, int64_t min, int64_t max) {
    auto wide = static_cast<int64_t>(out);
    read_integer(key, wide, min, max);
    out = static_cast<Int>(wide);
  }
  void read_size(const char* key, uint64_t& out);
  /// Reads `<key>_file` (path of a file) or `<key>_env` (name of a variable); the
  /// secret itself is never in the YAML and never in a message.
  void read_secret(const char* key, std::string& out);

  /// Returns whether the key is there, with or without a value; declares it.
  bool has(const char* key) const;
  /// Returns the mapping under `key`, empty if absent. Its faults are reported by this one.
  section child(const char* key);
  /// Returns the keys in order (for mappings whose keys are names).
  std::vector<std::string> keys() const;
  /// Returns the mappings of the list under `key`.
  std::vector<section> list(const char* key);
  /// Reports a fault at `key` that only the component can see.
  void complain(const char* key, std::string text);

  /// Returns the faults of this section and its children so far, plus every unknown key, in file
  /// order.
  std::vector<config_fault> faults() const;
  /// Errors: `ec::invalid_config`, one line "file:line:column: key: text" per fault.
  caf::error done() const;
  /// Returns every key that was read so far, with the value it had before: its default.
  std::vector<config_key> described() const;

private:
  struct node;
  explicit section(std::shared_ptr<node> at) : at_{std::move(at)} {}
  void read_integer(const char* key, int64_t& out, int64_t min, int64_t max);

  std::shared_ptr<node> at_;
};

} // namespace troupe
