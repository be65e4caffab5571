#pragma once

#include "messages/job.hpp"
#include "nodes/cli/terminal.hpp"

#include <set>
#include <string>
#include <vector>

namespace troupe::cli {

/// Turns the changing view of a job into lines, each said once.
class job_progress {
public:
  explicit job_progress(const terminal& io) : io_{io} {}

  /// Returns the lines that are new since the last call; a view may be seen again.
  std::vector<std::string> news(const job_view& job);

  /// Returns what happens right now: "install_package 3.2s", "queued 5.0s in docker-x86_64-0".
  static std::string status(const job_view& job, caf::timestamp now);

private:
  void tell_run(const run& r, std::vector<std::string>& out);
  bool first(std::string what);

  const terminal& io_;
  std::set<std::string> said_;
};

} // namespace troupe::cli
