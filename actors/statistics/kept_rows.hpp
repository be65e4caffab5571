#pragma once

#include "actors/projection/projection_table.hpp"
#include "messages/codec.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// The latest rows of a table in memory, and a bounded number of rows on disk: each
/// row has an ordinal from 1, and what is more than `keep` behind the last one counts
/// as absent and is erased. Which rows that are depends on the events alone, not on
/// where batches of them end.
///
/// `row_prefix` key -> row; `order_prefix` ordinal -> key.
template <class Key, record Row>
class kept_rows {
public:
  /// Turns a key into bytes of a constant size.
  using key_bytes = std::string (*)(const Key&);
  using key_of_bytes = Key (*)(std::string_view);

  kept_rows(char row_prefix, char order_prefix, key_bytes to, key_of_bytes from,
            uint64_t Row::*ordinal, uint64_t keep, std::function<void(const Row&)> forget)
    : row_prefix_{row_prefix}, order_prefix_{order_prefix}, to_{to}, from_{from}, ordinal_{ordinal},
      keep_{keep}, forget_{std::move(forget)} {}

  /// Returns the row of a key, a fresh one if there is none; marks it as changed.
  /// `surely_new` = the caller knows that there is none. Errors: those of the table.
  caf::expected<Row*> change(const Key& key, bool surely_new) {
    auto i = rows_.find(key);
    if (i == rows_.end()) {
      auto x = kept{};
      if (!surely_new) {
        auto stored = read(key);
        if (!stored)
          return std::move(stored.error());
        if (*stored)
          x.row = std::move(**stored);
      }
      i = rows_.emplace(key, std::move(x)).first;
    }
    auto& x = i->second;
    if (too_old(x.row)) {
      forget_(x.row);
      x.row = Row{};
    }
    if (!std::exchange(x.changed, true))
      changed_.push_back(key);
    return &x.row;
  }

  /// Returns a row that is kept. Errors: those of the table.
  caf::expected<std::optional<Row>> find(const Key& key) const {
    auto i = rows_.find(key);
    auto out = i != rows_.end() ? caf::expected<std::optional<Row>>{i->second.row} : read(key);
    if (out && *out && too_old(**out))
      return std::optional<Row>{};
    return out;
  }

  /// Gives a row the next ordinal.
  void number(const Key& key, Row& row) {
    row.*ordinal_ = ++last_;
    numbered_.push_back(key);
  }

  /// Adds what changed since the last time, and erases what is too old. Errors: those
  /// of the table.
  caf::error save(table_changes& to) {
    for (auto i = size_t{0}; i < numbered_.size(); ++i)
      to.emplace_back(order_key(last_ - numbered_.size() + 1 + i), to_(numbered_[i]));
    for (const auto& key : changed_) {
      auto& x = rows_.at(key);
      x.changed = false;
      if (!too_old(x.row))
        to.emplace_back(row_prefix_ + to_(key), encode(x.row));
    }
    changed_.clear();
    if (auto why = erase_old(to))
      return why;
    numbered_.clear();
    if (rows_.size() > most_in_memory)
      rows_.clear();
    return {};
  }

  /// Where the numbering is; goes into the mark.
  uint64_t last() const {
    return last_;
  }
  uint64_t erased() const {
    return erased_;
  }
  void open(uint64_t last, uint64_t erased) {
    rows_.clear();
    changed_.clear();
    numbered_.clear();
    last_ = last;
    erased_ = erased;
  }
  void use(std::shared_ptr<projection_table> table) {
    table_ = std::move(table);
  }

private:
  static constexpr auto most_in_memory = size_t{1} << 15;

  struct kept {
    Row row;
    bool changed = false;
  };

  bool too_old(const Row& row) const {
    return row.*ordinal_ > 0 && row.*ordinal_ + keep_ <= last_;
  }

  std::string order_key(uint64_t ordinal) const {
    return order_prefix_ + number_key(ordinal);
  }

  caf::expected<std::optional<Row>> read(const Key& key) const {
    auto bytes = table_->get(row_prefix_ + to_(key));
    if (!bytes)
      return std::move(bytes.error());
    if (!*bytes)
      return std::optional<Row>{};
    auto row = decode<Row>(**bytes);
    if (!row)
      return std::move(row.error());
    return std::optional<Row>{std::move(*row)};
  }

  caf::error erase_old(table_changes& to) {
    auto end = last_ > keep_ ? last_ - keep_ : 0;
    if (erased_ >= end)
      return {};
    auto going = std::vector<std::pair<uint64_t, Key>>{};
    auto see = [&](std::string_view key, std::string_view value) {
      if (auto ordinal = key_number(key.substr(1)))
        going.emplace_back(*ordinal, from_(value));
      return true;
    };
    if (auto why = table_->scan({order_key(erased_ + 1), order_key(end + 1), false}, see))
      return why;
    // Those that were numbered in this very batch are not in the table yet.
    auto first_new = last_ - numbered_.size() + 1;
    for (auto ordinal = std::max(first_new, erased_ + 1); ordinal <= end; ++ordinal)
      going.emplace_back(ordinal, numbered_[ordinal - first_new]);
    for (const auto& [ordinal, key] : going) {
      to.emplace_back(order_key(ordinal), std::nullopt);
      auto i = rows_.find(key);
      // Told of again since, it has begun anew.
      if (i != rows_.end() && i->second.row.*ordinal_ != ordinal)
        continue;
      auto row = i != rows_.end() ? caf::expected<std::optional<Row>>{i->second.row} : read(key);
      if (!row)
        return std::move(row.error());
      if (*row && (**row).*ordinal_ == ordinal)
        forget_(**row);
      rows_.erase(key);
      to.emplace_back(row_prefix_ + to_(key), std::nullopt);
    }
    erased_ = end;
    return {};
  }

  char row_prefix_;
  char order_prefix_;
  key_bytes to_;
  key_of_bytes from_;
  uint64_t Row::*ordinal_;
  uint64_t keep_;
  std::function<void(const Row&)> forget_; ///< Sees each row that goes.
  std::shared_ptr<projection_table> table_;
  std::unordered_map<Key, kept> rows_;
  std::vector<Key> changed_;
  std::vector<Key> numbered_; ///< In this batch, in order.
  uint64_t last_ = 0;
  uint64_t erased_ = 0;
};

} // namespace troupe
