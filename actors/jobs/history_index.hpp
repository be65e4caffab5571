#pragma once

#include "actors/projection/projection_table.hpp"
#include "messages/job_events.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe {

/// How far the history has come; kept in the same write as what it applied.
struct history_mark {
  uint64_t sequence = 0; ///< Of the last event applied.
  uint64_t epoch = 0;    ///< Of the latest ledger; job events of earlier ones do not count.
  uint64_t finished = 0; ///< Finished jobs that are kept.

  static constexpr auto type_name = "troupe::history_mark";
  static constexpr auto fields = std::tuple{
    field{"sequence", &history_mark::sequence},
    field{"epoch", &history_mark::epoch},
    field{"finished", &history_mark::finished},
  };
};

/// The jobs as the journal tells them: a projection in one ordered table.
///
/// key                          | value
/// -----------------------------|------------------------------------------------
/// "m"                          | `history_mark`
/// "e" job sequence             | `stored_event`; a job is the fold over its rows
/// "l" job                      | nothing; the job is unfinished
/// "s" subject NUL job          | nothing
/// "v" verdict (1 byte) job     | nothing; the job is finished
///
/// A job is its 16 bytes, a sequence 8 bytes big endian. Job ids grow with time,
/// so the order of keys is the order of submission.
///
/// Threads: one at a time. Calls may block on the disk.
class history_index {
public:
  explicit history_index(std::shared_ptr<projection_table> table) : table_{std::move(table)} {}

  /// Reads how far it has come. Errors: those of the table.
  caf::error open();
  const history_mark& mark() const {
    return mark_;
  }

  /// Applies what is new of a read at the journal; answers the jobs that
  /// changed. Errors: those of the table; nothing is applied then.
  caf::expected<std::vector<job_id>> apply(const event_batch& batch);

  /// Stores how far it has come, also over events of others.
  caf::error keep_mark();

  /// Skips to a sequence: the journal has forgotten what was before it.
  void skip_to(uint64_t sequence);

  /// Errors: `ec::not_found`.
  caf::expected<job_view> find(const job_id& job) const;
  /// Looks at a bounded number of jobs; the page may be short and yet have a
  /// `next`. Errors: `ec::invalid_argument`.
  caf::expected<job_page> list(const list_jobs& query) const;
  /// Answers unfinished jobs with the events that decide their state (no progress).
  caf::expected<live_jobs> live(const read_live_jobs& query) const;

  /// Forgets finished jobs, oldest first: those that ended before `before`, and as
  /// many as are over `keep`. Looks at `most` jobs, goes on behind unfinished ones
  /// the next time, and answers how many it forgot.
  caf::expected<size_t> retire(caf::timestamp before, uint64_t keep, size_t most);

private:
  using visit_row = std::function<bool(const job_id& job, stored_event&& row)>;

  void apply_event(const stored_event& x, table_changes& changes, history_mark& mark) const;
  caf::error visit_rows(std::span<const job_id> jobs, const visit_row& visit) const;
  caf::error visit_newest(const list_jobs& query, const std::string& to,
                          const std::function<bool(const job_id&)>& visit) const;
  caf::expected<job_view> fold(const job_id& job) const;

  std::shared_ptr<projection_table> table_;
  history_mark mark_;
  job_id retired_; ///< Where `retire` goes on.
};

} // namespace troupe
