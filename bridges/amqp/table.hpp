#pragma once

#include <amqp.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Returns a view that the library takes; `text` must live as long.
inline amqp_bytes_t bytes_of(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}

/// Returns the bytes as text of our own.
inline std::string text_of(const amqp_bytes_t& bytes) {
  return bytes.len == 0 ? std::string{}
                        : std::string{static_cast<const char*>(bytes.bytes), bytes.len};
}

/// An AMQP table that is made of texts. Owns what its entries point to.
class table_builder {
public:
  table_builder() = default;
  /// "true" and "false" become booleans, whole numbers numbers, all else text.
  explicit table_builder(const std::map<std::string, std::string>& arguments);

  void add_text(std::string_view name, std::string_view value);
  void add_number(std::string_view name, int64_t value);
  void add_flag(std::string_view name, bool value);
  void add_table(std::string_view name, table_builder& value);
  /// Adds what an encoded table holds; nothing if it is malformed.
  void add_encoded(const std::string& table, std::string_view but_prefix);

  /// The table; valid until this object changes or ends.
  amqp_table_t get();

private:
  amqp_table_entry_t& add(std::string_view name, uint8_t kind);

  std::deque<std::string> texts_;
  std::vector<amqp_table_entry_t> entries_;
  struct pool_owner {
    pool_owner() {
      init_amqp_pool(&pool, 4096);
    }
    ~pool_owner() {
      empty_amqp_pool(&pool);
    }
    pool_owner(const pool_owner&) = delete;
    pool_owner& operator=(const pool_owner&) = delete;
    amqp_pool_t pool{};
  };
  std::deque<pool_owner> pools_;
};

/// Returns the encoded form of a table, empty if it is too big (64 KiB).
std::string encode_table(const amqp_table_t& table);

/// Returns a text (or number, as text) among encoded headers. Takes any bytes.
std::optional<std::string> header_text(const std::string& table, std::string_view name);

} // namespace troupe
