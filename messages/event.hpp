#pragma once

#include "messages/codec.hpp"
#include "messages/enum_names.hpp"

#include <caf/timestamp.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// What goes into the journal and comes out of it. Source: DESIGN 2.
namespace troupe {

/// An immutable fact: it has happened.
struct event {
  std::string topic;     ///< Dotted lower-case words, e.g. "job.queued".
  caf::timestamp time{}; ///< When it happened, UTC; arrival is `stored_event::arrived`.
  std::string payload;   ///< A packed record, see `messages/codec.hpp`.

  static constexpr auto type_name = "troupe::event";
  static constexpr auto fields = std::tuple{
    field{"topic", &event::topic},
    field{"time", &event::time},
    field{"payload", &event::payload},
  };
};

/// Events that become durable together or not at all.
struct append_group {
  std::string id; ///< Refused if seen within the window; empty = never refused. At most 256 bytes.
  uint64_t digest = 0; ///< Hash of the body the id came with: same id, other digest = conflict.
  std::string answer;  ///< Kept with the id; a repeat is answered with it. At most 1 KiB.
  std::vector<event> events;

  static constexpr auto type_name = "troupe::append_group";
  static constexpr auto fields = std::tuple{
    field{"id", &append_group::id},
    field{"digest", &append_group::digest},
    field{"answer", &append_group::answer},
    field{"events", &append_group::events},
  };
};

/// Command: make these groups durable, in this order.
struct append_events {
  std::string owner;  ///< Who decides, e.g. "jobs"; empty = unfenced (bridges).
  uint64_t epoch = 0; ///< The owner's epoch; one below the latest seen is refused.
  std::vector<append_group> groups;

  static constexpr auto type_name = "troupe::append_events";
  static constexpr auto fields = std::tuple{
    field{"owner", &append_events::owner},
    field{"epoch", &append_events::epoch},
    field{"groups", &append_events::groups},
  };
};

enum class append_outcome : uint8_t {
  stored,      ///< Durable now.
  repeated,    ///< The id was seen with the same digest; `answer` is the first one's.
  conflicting, ///< The id was seen with another digest; nothing was stored.
};
template <>
inline constexpr auto enum_names<append_outcome> =
  std::array<std::string_view, 3>{"stored", "repeated", "conflicting"};

struct append_result {
  append_outcome outcome = append_outcome::stored;
  std::string answer;

  static constexpr auto type_name = "troupe::append_result";
  static constexpr auto fields = std::tuple{
    field{"outcome", &append_result::outcome},
    field{"answer", &append_result::answer},
  };
};

/// Reply to `append_events`: one result per group, in order.
struct append_results {
  std::vector<append_result> results;

  static constexpr auto type_name = "troupe::append_results";
  static constexpr auto fields = std::tuple{field{"results", &append_results::results}};
};

/// An event with its place in the journal.
struct stored_event {
  uint64_t sequence = 0;    ///< From 1, without gaps.
  uint64_t epoch = 0;       ///< The epoch of the owner that appended it, 0 = unfenced.
  caf::timestamp arrived{}; ///< When the journal took it, UTC.
  event what;

  static constexpr auto type_name = "troupe::stored_event";
  static constexpr auto fields = std::tuple{
    field{"sequence", &stored_event::sequence},
    field{"epoch", &stored_event::epoch},
    field{"arrived", &stored_event::arrived},
    field{"event", &stored_event::what},
  };
};

/// Query: events from a sequence on; waits for more if there are none yet.
struct read_events {
  uint64_t from = 1;            ///< First sequence wanted.
  uint32_t max_events = 1024;   ///< 1..16384.
  uint32_t max_bytes = 1 << 20; ///< Soft: at least one event is returned.
  caf::timespan wait{0};        ///< How long to wait for the first event, at most 30 s.

  static constexpr auto type_name = "troupe::read_events";
  static constexpr auto fields = std::tuple{
    field{"from", &read_events::from},
    field{"max_events", &read_events::max_events},
    field{"max_bytes", &read_events::max_bytes},
    field{"wait", &read_events::wait},
  };
};

/// Reply to `read_events`.
struct event_batch {
  std::vector<stored_event> events;
  uint64_t next = 1;   ///< The `from` of the next read.
  bool at_end = false; ///< No durable event at or after `next` when this was read.

  static constexpr auto type_name = "troupe::event_batch";
  static constexpr auto fields = std::tuple{
    field{"events", &event_batch::events},
    field{"next", &event_batch::next},
    field{"at_end", &event_batch::at_end},
  };
};

/// A named consumer and the last sequence that it has fully applied.
struct cursor {
  std::string name;
  uint64_t sequence = 0;

  static constexpr auto type_name = "troupe::cursor";
  static constexpr auto fields = std::tuple{
    field{"name", &cursor::name},
    field{"sequence", &cursor::sequence},
  };
};

/// Reply to `list_cursors_atom`.
struct cursor_list {
  std::vector<cursor> cursors;

  static constexpr auto type_name = "troupe::cursor_list";
  static constexpr auto fields = std::tuple{field{"cursors", &cursor_list::cursors}};
};

/// Command: forget events below a sequence. Never cuts above a registered cursor.
struct trim_journal {
  uint64_t below = 0;

  static constexpr auto type_name = "troupe::trim_journal";
  static constexpr auto fields = std::tuple{field{"below", &trim_journal::below}};
};

/// What the journal says of itself.
struct journal_status {
  std::string id;     ///< Random, made with the journal; a node that brings another one is refused.
  uint64_t first = 1; ///< Oldest sequence that can be read.
  uint64_t next = 1;  ///< Sequence of the next event.
  uint64_t ids_kept = 0;   ///< Estimate of the remembered ids.
  bool accepting = true;   ///< False while the disk guard refuses writes.
  uint64_t free_bytes = 0; ///< Free space of the file system.
  uint64_t repeated = 0;   ///< Groups answered as repeated since the journal's actor started.

  static constexpr auto type_name = "troupe::journal_status";
  static constexpr auto fields = std::tuple{
    field{"id", &journal_status::id},
    field{"first", &journal_status::first},
    field{"next", &journal_status::next},
    field{"ids_kept", &journal_status::ids_kept},
    field{"accepting", &journal_status::accepting},
    field{"free_bytes", &journal_status::free_bytes},
    field{"repeated", &journal_status::repeated},
  };
};

} // namespace troupe
