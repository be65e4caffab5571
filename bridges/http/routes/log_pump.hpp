#pragma once

#include "bridges/http/routes/stream_pump.hpp"

#include <optional>

namespace troupe {

/// A place in the logs of a job; as text it is the id of a log event.
struct log_place {
  uint32_t run = 0;
  std::string log; ///< Name of the log without its ending: no two of a run are the same.
  uint64_t offset = 0;
};

/// Returns "run:log:offset".
std::string to_string(const log_place& place);

/// Reads what `to_string` writes.
std::optional<log_place> parse_log_place(std::string_view text);

/// Returns what the logs of a run are called in places, by stage.
std::vector<std::string> places_of(const run& one);

/// What to show of a job's logs.
struct log_request {
  job_id job;
  log_place from;         ///< With a log: go on there; else from the start of the run.
  std::string only_stage; ///< Empty = all.
  std::optional<uint32_t> only_run;
  bool follow = false; ///< Server-sent events until the job is finished; else text as far as it is.
};

/// Streams the logs of a job, stage by stage and run by run.
///
/// Followed: events "stage" (a log begins), "log" (text, its id resumes) and
/// "end" (the job is finished). Otherwise plain text with a line per stage.
class log_pump final : public stream_pump {
public:
  log_pump(caf::actor_config& cfg, stream_writer out, std::shared_ptr<route_context> shared,
           log_request what);

private:
  void next() override;
  std::string heartbeat() const override;

  void refresh(caf::timespan wait);
  void move_on();
  void wait_for_change();
  void leave_stage();
  void read();
  void take(artifact_chunk& chunk);
  void no_log();

  const run* current_run() const;
  void count_logs();
  const stage* current_stage() const;
  std::optional<size_t> stage_after_last() const;
  bool run_is_live() const;
  std::string marker() const;
  std::string text_of(std::string_view bytes) const;
  std::string end_mark() const;

  const log_request what_;
  log_place at_;      ///< No log = look for the next one.
  std::string last_;  ///< The log of this run that was left last.
  std::string stage_; ///< Whose log it is.
  std::optional<job_view> job_;
  std::vector<std::string> logs_; ///< Of the run at `at_`, by stage.
};

} // namespace troupe
