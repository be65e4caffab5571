#pragma once

#include "bridges/http/routes/stream_pump.hpp"

#include <optional>

namespace troupe {

/// A place in the logs of a job; as text it is the id of a log event.
struct log_place {
  uint32_t run = 0;
  std::string stage;
  uint64_t offset = 0;
};

/// Returns "run:stage:offset".
std::string to_string(const log_place& place);

/// Reads what `to_string` writes.
std::optional<log_place> parse_log_place(std::string_view text);

/// What to show of a job's logs.
struct log_request {
  job_id job;
  log_place from;         ///< With a stage: go on there; else from the start of the run.
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
  const stage* current_stage() const;
  const stage* stage_after_last() const;
  bool run_is_live() const;
  std::string marker() const;
  std::string text_of(std::string_view bytes) const;
  std::string end_mark() const;

  const log_request what_;
  log_place at_;     ///< No stage = look for the next one.
  std::string last_; ///< The stage of this run that was left last.
  std::optional<job_view> job_;
};

} // namespace troupe
