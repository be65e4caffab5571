#pragma once

#include "actors/machines/short_text.hpp"
#include "actors/machines/word_list.hpp"
#include "messages/codec.hpp"

#include <caf/timestamp.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The time of what did not happen.
inline constexpr auto never = caf::timestamp{};

/// Where the latest run of a machine is; of two words about one run the higher one counts.
enum class run_phase : uint8_t {
  none,
  running,
  ended,
  stopped, ///< The worker went down with it.
  lost,    ///< Its claim expired.
};

/// A worker type that a machine served, and when it was last heard of with it.
struct served_type {
  shared_word type = 0;
  shared_word provisioner = 0;
  caf::timestamp at{};
};

/// How many runs ended in an exception for one reason.
struct reason_count {
  shared_word reason = 0;
  uint32_t runs = 0;
};

/// What few machines have: it is apart, so that the others are small.
struct machine_extra {
  caf::timestamp lost_since{}; ///< Of the latest run.
  caf::timestamp up_at{};      ///< The worker came up ...
  caf::timestamp down_at{};    ///< ... and went down.
  caf::timestamp quarantine_until{};
  caf::timestamp quarantine_at{};
  std::vector<served_type> types;       ///< Beyond the first, the latest first.
  std::vector<reason_count> exceptions; ///< In no order.
};

/// What is in memory of each machine: what its signs say together. Each member is the
/// greatest, the least or the number of what the signs say, so their order is without effect.
/// A time of 0 = never.
struct machine_row {
  std::string_view id; ///< Kept by `machine_rows`; empty = the place is free.
  caf::timestamp first{};
  caf::timestamp seen{};    ///< Last sign of life.
  caf::timestamp message{}; ///< Last sign of any kind.

  // The latest word about a run, by time.
  caf::timestamp status_at{};
  short_text task;
  uint32_t run = 0;
  shared_word status = 0;

  // The latest run, by its begin.
  uint64_t run_key = 0; ///< Of two that began at once the higher one counts.
  caf::timestamp run_begin{};
  caf::timestamp taken_until{};
  caf::timestamp deadline{};
  uint16_t run_signs = 0; ///< Kinds of signs of this run.
  run_phase phase = run_phase::none;

  uint8_t status_rank = 0; ///< Of words at the same time a higher one counts.
  bool expected = false;
  uint8_t alerts = 0; ///< Bits of `machine_trouble` that were raised.

  // What is in its history.
  uint32_t running = 0;
  uint32_t completed = 0;
  uint32_t failed = 0;
  caf::timestamp kept_from{}; ///< Runs that began before are forgotten.

  served_type type; ///< The latest one.

  machine_row() = default;
  machine_row(machine_row&&) = default;
  machine_row& operator=(machine_row&&) = default;
  machine_row(const machine_row& other);
  machine_row& operator=(const machine_row&) = delete;

  /// What it has of what few have.
  const machine_extra& more() const {
    return extra_ ? *extra_ : nothing_more;
  }
  machine_extra& change_more() {
    if (!extra_)
      extra_ = std::make_unique<machine_extra>();
    return *extra_;
  }

  bool empty() const {
    return id.empty();
  }
  bool has_history() const {
    return running + completed + failed > 0 || !more().exceptions.empty();
  }
  /// Tells whether it was ever heard of.
  bool heard() const {
    return seen != never || message != never;
  }

private:
  static const machine_extra nothing_more;

  std::unique_ptr<machine_extra> extra_;
};

inline constexpr size_t most_types = 8;

/// A row as it is stored; the id is in its key.
struct machine_record {
  struct served {
    std::string type;
    std::string provisioner;
    caf::timestamp at{};

    static constexpr auto type_name = "troupe::machine_record::served";
    static constexpr auto fields = std::tuple{
      field{"type", &served::type},
      field{"provisioner", &served::provisioner},
      field{"at", &served::at},
    };
  };

  caf::timestamp first{};
  caf::timestamp seen{};
  caf::timestamp message{};
  caf::timestamp status_at{};
  std::string task;
  uint32_t run = 0;
  std::string status;
  uint32_t status_rank = 0;
  run_phase phase = run_phase::none;
  uint32_t run_signs = 0;
  uint64_t run_key = 0;
  caf::timestamp run_begin{};
  caf::timestamp taken_until{};
  caf::timestamp deadline{};
  caf::timestamp lost_since{};
  caf::timestamp up_at{};
  caf::timestamp down_at{};
  std::vector<served> types;
  uint32_t running = 0;
  uint32_t completed = 0;
  uint32_t failed = 0;
  std::map<std::string, uint32_t> exceptions;
  caf::timestamp kept_from{};
  caf::timestamp quarantine_until{};
  caf::timestamp quarantine_at{};
  bool expected = false;
  uint32_t alerts = 0;

  static constexpr auto type_name = "troupe::machine_record";
  static constexpr auto fields = std::tuple{
    field{"first", &machine_record::first},
    field{"seen", &machine_record::seen},
    field{"message", &machine_record::message},
    field{"status_at", &machine_record::status_at},
    field{"task", &machine_record::task},
    field{"run", &machine_record::run},
    field{"status", &machine_record::status},
    field{"status_rank", &machine_record::status_rank},
    field{"phase", &machine_record::phase},
    field{"run_signs", &machine_record::run_signs},
    field{"run_key", &machine_record::run_key},
    field{"run_begin", &machine_record::run_begin},
    field{"taken_until", &machine_record::taken_until},
    field{"deadline", &machine_record::deadline},
    field{"lost_since", &machine_record::lost_since},
    field{"up_at", &machine_record::up_at},
    field{"down_at", &machine_record::down_at},
    field{"types", &machine_record::types},
    field{"running", &machine_record::running},
    field{"completed", &machine_record::completed},
    field{"failed", &machine_record::failed},
    field{"exceptions", &machine_record::exceptions},
    field{"kept_from", &machine_record::kept_from},
    field{"quarantine_until", &machine_record::quarantine_until},
    field{"quarantine_at", &machine_record::quarantine_at},
    field{"expected", &machine_record::expected},
    field{"alerts", &machine_record::alerts},
  };
};

machine_record to_record(const machine_row& row, const word_list& words);
machine_row from_record(const machine_record& x, word_list& words);

} // namespace troupe
