#pragma once

#include "messages/event.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Where a journal begins and ends.
struct journal_head {
  uint64_t next = 1;         ///< Sequence of the next event.
  uint64_t first = 1;        ///< Oldest sequence that can be read.
  uint64_t next_ordinal = 0; ///< Ids kept since the journal was made.

  static constexpr auto type_name = "troupe::journal_head";
  static constexpr auto fields = std::tuple{
    field{"next", &journal_head::next},
    field{"first", &journal_head::first},
    field{"next_ordinal", &journal_head::next_ordinal},
  };
};

/// What a journal remembers of an id.
struct kept_id {
  uint64_t ordinal = 0; ///< How many ids came before it.
  caf::timestamp arrived{};
  uint64_t digest = 0;
  std::string answer;

  static constexpr auto type_name = "troupe::kept_id";
  static constexpr auto fields = std::tuple{
    field{"ordinal", &kept_id::ordinal},
    field{"arrived", &kept_id::arrived},
    field{"digest", &kept_id::digest},
    field{"answer", &kept_id::answer},
  };
};

/// An id with what is remembered of it.
struct new_id {
  std::string id;
  kept_id what;
};

/// What becomes durable in one step, or not at all.
struct journal_commit {
  std::vector<stored_event> events;       ///< Sequences go on from the head's `next`.
  std::vector<new_id> ids;                ///< Ordinals go on from the head's `next_ordinal`.
  std::map<std::string, uint64_t> epochs; ///< Owners with a new epoch.

  bool empty() const {
    return events.empty() && ids.empty() && epochs.empty();
  }
};

/// The sequence of a cursor whose consumer was evicted: it needs nothing, and
/// must rebuild what it made of events before it may have a cursor again.
inline constexpr auto evicted_cursor = UINT64_MAX;

/// Where a journal keeps its events. Knows nothing of appends, duplicates or
/// fencing: those are decided above it (`group_commit`), for all backends alike.
///
/// Threads: changes from one thread; `read` and `head` from any.
class journal_backend {
public:
  virtual ~journal_backend() = default;

  /// Returns the random name of this journal.
  virtual std::string id() const = 0;
  /// Returns the durable end and beginning.
  virtual journal_head head() const = 0;

  /// Makes `what` durable, then moves the head; may consume `what`. Errors:
  /// `ec::disk_full` (nothing happened), anything else: the backend is broken for good.
  virtual caf::error commit(journal_commit& what) = 0;

  /// Returns what is remembered of ids, in their order.
  virtual caf::expected<std::vector<std::optional<kept_id>>>
  find_ids(std::span<const std::string_view> ids) const = 0;
  /// Forgets, at its leisure, ids below an ordinal or older than a time.
  virtual void forget_ids(uint64_t below_ordinal, caf::timestamp older_than) = 0;

  /// Returns durable events; does not wait. Errors: `ec::gone` (trimmed), `ec::corrupt`.
  virtual caf::expected<event_batch> read(const read_events& what) const = 0;

  virtual caf::expected<std::map<std::string, uint64_t>> cursors() const = 0;
  virtual caf::expected<std::map<std::string, uint64_t>> epochs() const = 0;
  /// Durable with the next commit: a cursor that falls back repeats events, and
  /// nothing that was cut because of it outlives it.
  virtual caf::error keep_cursor(const cursor& x) = 0;
  virtual caf::error drop_cursor(const std::string& name) = 0;

  /// Forgets the events below a sequence.
  virtual caf::error trim(uint64_t below) = 0;
  /// Returns roughly how many bytes the events from a sequence on take.
  virtual uint64_t bytes_from(uint64_t sequence) const = 0;

  /// Tells whether there is room for new events.
  virtual bool accepting() const = 0;
  virtual uint64_t free_bytes() const = 0;
};

} // namespace troupe
