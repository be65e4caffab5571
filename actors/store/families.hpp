#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// clang-format off
/// What the node's database looks like on disk. One RocksDB per node, one
/// column family per purpose. Numbers in keys are 8 bytes, big endian, so that
/// the order of keys is the order of numbers.
///
/// family  | key                      | value
/// --------|--------------------------|---------------------------------------------
/// default | "format"                 | number: `store_format`
/// default | "journal/id"             | 32 hexadecimal digits, random
/// default | "journal/head"           | `journal_head`: where the journal begins and ends
/// default | "journal/epoch/OWNER"    | number: the latest epoch seen of OWNER
/// journal | last sequence of a block | `stored_event`s of one commit, one after the other
/// ids     | id as it came            | ordinal (8 bytes), arrival (8 bytes, ns), `kept_id`
/// cursors | name                     | number: last sequence that the consumer has applied
/// history, objects, statistics, machines     | the role's own | rebuilt from the journal at any time
///
/// Everything except `cursors` and the projections' families is written with the same fsync as
/// the events it belongs to; those are durable with the next one. Values are
/// in the form of `messages/codec.hpp`; each event repeats its sequence, as a check.
// clang-format on

namespace troupe {

/// The layout above. A database with a higher number is refused; a lower one is
/// brought up when it is opened. Count up when a key changes its meaning.
inline constexpr uint64_t store_format = 2; // 2: objects, statistics, machines

/// A column family of the node's database.
enum class family : uint8_t {
  standard,
  journal,
  ids,
  cursors,
  history,
  objects,
  statistics,
  machines,
};

/// The names on disk, in the order of the enumeration.
inline constexpr auto family_names = std::array<std::string_view, 8>{
  "default", "journal", "ids", "cursors", "history", "objects", "statistics", "machines"};

inline constexpr size_t family_count = family_names.size();

} // namespace troupe
