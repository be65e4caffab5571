#pragma once

#include "config/section.hpp"
#include "messages/run.hpp"

#include <caf/expected.hpp>

#include <memory>
#include <stop_token>
#include <string_view>

namespace troupe {

/// Where a driver reports what a run does, while it does it.
///
/// Threads: called by the thread that executes the run, in order. Calls may
/// block for credit (the store takes log bytes at its pace).
class run_sink {
public:
  virtual ~run_sink() = default;

  /// A stage began; its log is open from here to `stage_finished`.
  virtual void stage_started(std::string_view name) = 0;

  /// Output of the open stage, any bytes. Secrets that were announced are masked here.
  virtual void output(std::string_view bytes) = 0;

  /// The open stage ended. The sink fills `started_at`, `finished_at` and `log`.
  virtual void stage_finished(stage what) = 0;

  /// From now on `secret` never passes: logs, notes, outputs show "[masked]".
  virtual void mask(std::string_view secret) = 0;

  /// Keeps a file that the run left. `name` obeys the text rule "path".
  virtual void artifact(std::string_view name, std::string_view bytes) = 0;
};

/// How a run ended, without the stages (the sink has seen them).
struct run_outcome {
  verdict result = verdict::pass;
  reason why = reason::none;
  std::string note;
  caf::timespan spend{0}; ///< Time that the work itself took; 0 = from start to end.
  std::string data = {};  ///< What it made, JSON of at most 64 KiB.
};

/// Executes runs on one kind of backend (container engine, external command, ...).
///
/// Threads: `run` is called concurrently, one call per busy slot, and blocks.
/// The other functions are called by one thread that may block too.
class runner_driver {
public:
  virtual ~runner_driver() = default;

  /// Tells whether this host can execute runs now; while it is an error the
  /// runner is shown as broken and claims nothing. Errors: `ec::unavailable`.
  virtual caf::error check() = 0;

  /// Executes a run to its end and leaves nothing behind. Returns within 2 s of
  /// `stop` with `reason::canceled`, and soon after `order.deadline` with
  /// `reason::task_timeout`. A failing test is a verdict; what the host or the
  /// network did wrong is a reason that is retried. Never throws.
  virtual run_outcome run(const run_order& order, run_sink& sink, std::stop_token stop) = 0;

  /// Removes what dead runs of this runner left (containers, folders), except
  /// those in `alive`. Called at start and each minute.
  virtual void sweep(const std::vector<run_key>& alive) {
    static_cast<void>(alive);
  }
};

/// What every driver needs to know of its host.
struct driver_context {
  std::string runner;      ///< Name of the runner, for labels.
  std::string data_folder; ///< Private folder for the driver's files; may not exist yet.
};

using runner_driver_ptr = std::shared_ptr<runner_driver>;

/// Makes a driver from its configuration section. Errors: `ec::invalid_config`.
using runner_factory = caf::expected<runner_driver_ptr>(section& options,
                                                        const driver_context& context);

} // namespace troupe
