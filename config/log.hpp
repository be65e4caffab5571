#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace troupe {

enum class log_level : unsigned char { debug, info, warning, error };

/// One field of a log line.
struct log_field {
  log_field(std::string_view k, std::string_view v) : key{k}, value{v} {}
  log_field(std::string_view k, const char* v) : key{k}, value{v} {}
  log_field(std::string_view k, const std::string& v) : key{k}, value{v} {}
  template <class T>
  requires std::is_arithmetic_v<T> log_field(std::string_view k, T v)
    : key{k}, value{std::to_string(v)} {}
  std::string_view key;
  std::string value;
};

/// Writes one logfmt line on stderr: `ts= level= node= actor= msg= <fields>`.
/// The message is constant, what varies is a field; control characters are
/// escaped and announced secrets masked. `error` = a human must act; a client's
/// mistake is `info`. Threads: any.
void log(log_level level, std::string_view actor, std::string_view message,
         std::initializer_list<log_field> fields = {});

/// True if lines of this level are written; to skip costly fields. Threads: any.
bool logs(log_level level);

/// Sets the node's name and the lowest level that is written.
void set_log(std::string node, log_level lowest);

/// From now on `secret` (4 bytes or more) appears as "[masked]" in every line.
void mask_in_log(std::string secret);

} // namespace troupe
