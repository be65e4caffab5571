#pragma once

#include "actors/store/families.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace troupe {

class database;

/// Changes to any families that happen together or not at all. Keep it and
/// `clear` it: the buffer is reused.
///
/// Threads: one at a time. It must not outlive its database.
class write_batch {
public:
  explicit write_batch(const database& db);
  ~write_batch();
  write_batch(write_batch&&) noexcept;
  write_batch& operator=(write_batch&&) noexcept;

  void put(family where, std::string_view key, std::string_view value);
  void erase(family where, std::string_view key);
  /// Erases all keys in [from, to).
  void erase_range(family where, std::string_view from, std::string_view to);
  void clear();

  bool empty() const;
  /// Returns how many bytes the log will grow by.
  size_t bytes() const;

private:
  friend class database;
  struct content;
  std::unique_ptr<content> content_;
};

} // namespace troupe
