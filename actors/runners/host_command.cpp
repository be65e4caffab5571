#include "actors/runners/host_command.hpp"

#include "actors/runners/exec_process.hpp"
#include "actors/runners/stop_bell.hpp"

#include <signal.h>

#include <algorithm>

namespace troupe {

namespace {

using host_clock = std::chrono::steady_clock;

constexpr auto host_grace = std::chrono::seconds{1};
constexpr auto never_killed = host_clock::time_point::max();
// A limit of years must not overflow the clock.
constexpr auto longest_limit = std::chrono::hours{24 * 365};

} // namespace

command_result run_on_host(const command& what, std::stop_token stop,
                           const std::function<void(std::string_view)>& out) {
  auto bell = stop_bell{stop};
  auto process = exec_process::start({what.argv, what.variables, what.work_dir}, {},
                                     exec_process::streams::together);
  if (!process)
    return {command_result::end::infra, 0, false, one_line(process.error())};
  auto result = command_result{};
  auto deadline = host_clock::now() + std::min<std::chrono::seconds>(what.limit, longest_limit);
  auto kill_at = never_killed;
  auto drained_at = never_killed;
  for (auto ended = false; !ended || !process->is_drained();) {
    auto now = host_clock::now();
    // A child that left the group may hold the pipe for ever.
    if (now >= drained_at)
      break;
    if (!ended && kill_at == never_killed && (now >= deadline || stop.stop_requested())) {
      result.how =
        stop.stop_requested() ? command_result::end::canceled : command_result::end::timed_out;
      process->signal(SIGTERM);
      kill_at = now + host_grace;
    } else if (!ended && now >= kill_at) {
      process->signal(SIGKILL);
      kill_at = now + host_grace; // again, until it is gone
    }
    // Once it was told to stop the bell rings for ever.
    process->wait(kill_at == never_killed && !ended ? bell.get() : -1,
                  ended ? drained_at : std::min(deadline > now ? deadline : never_killed, kill_at));
    if (auto bytes = process->read_output(); !bytes.empty())
      out(bytes);
    if (!ended && process->has_ended()) {
      ended = true;
      drained_at = host_clock::now() + host_grace;
    }
  }
  result.exit_code = process->exit_code();
  return result;
}

} // namespace troupe
