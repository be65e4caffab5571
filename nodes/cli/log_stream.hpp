#pragma once

#include "nodes/cli/session.hpp"

#include <functional>
#include <optional>
#include <string>

namespace troupe::cli {

/// A piece of a log as it comes over the wire.
struct log_piece {
  uint32_t run = 0;
  std::string stage;
  std::string text; ///< Empty = the log of the stage begins.

  static constexpr auto type_name = "troupe::cli::log_piece";
  static constexpr auto fields = std::tuple{
    field{"run", &log_piece::run},
    field{"stage", &log_piece::stage},
    field{"text", &log_piece::text, {.max_size = 1 << 20}},
  };
};

/// Which part of a job's log to read.
struct log_choice {
  std::string stage;           ///< Empty = all.
  std::optional<uint32_t> run; ///< Empty = the last one, and those that follow.
};

/// Told of each piece; returns false to stop.
using log_callback = std::function<bool(const log_piece&)>;

/// Follows the live log of a job until the job (or the chosen run) is finished.
/// Outlives restarts of the node: goes on behind the last piece that came.
/// Blocks. Errors: those of the server; `ec::unavailable` after `settings.timeout`.
caf::error follow_log(const settings& in, session& server, const job_id& job,
                      const log_choice& what, const log_callback& on_piece);

/// Returns the log as far as it is, with a line "==> stage <==" before each stage unless one was
/// chosen.
caf::expected<std::string> read_log(session& server, const job_id& job, const log_choice& what);

} // namespace troupe::cli
