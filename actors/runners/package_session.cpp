#include "actors/runners/package_session.hpp"

#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto most_kept = size_t{16} << 20;
constexpr auto most_errors = size_t{1} << 20;
constexpr auto longest_shown = size_t{2000};
constexpr auto longest_run = caf::timespan{std::chrono::hours{24}};

std::string shown(const step& what) {
  auto text = std::string{"$"};
  if (!what.shown.empty())
    return text + ' ' + what.shown + '\n';
  for (const auto& word : what.argv) {
    auto plain = !word.empty() && word.find_first_of(" \t\n'\"$\\*") == std::string::npos;
    text += plain ? ' ' + word : " '" + word + '\'';
  }
  if (text.size() > longest_shown)
    text.resize(longest_shown);
  return text + '\n';
}

} // namespace

std::string limit_text(std::chrono::milliseconds limit) {
  return to_short_text(limit);
}

package_session::package_session(const test_spec& spec_, const package_test_options& options_,
                                 run_sink& sink, std::stop_token stop, caf::timespan deadline)
  : spec{spec_}, options{options_}, sink_{sink}, stop_{std::move(stop)} {
  auto longest = deadline > caf::timespan{0} ? std::min(deadline, longest_run) : longest_run;
  run_end_ = clock::now() + longest;
  stage_end_ = run_end_;
}

void package_session::enter(environment_ptr machine) {
  machine_ = std::move(machine);
}

environment_ptr package_session::leave() {
  return std::move(machine_);
}

void package_session::open_stage(std::chrono::milliseconds limit) {
  stage_end_ = clock::now() + limit;
}

command_result package_session::run(const step& what) {
  if (what.logged)
    sink_.output(shown(what));
  auto now = clock::now();
  auto run_left = run_end_ - now;
  auto left = what.limit.count() > 0 ? clock::duration{what.limit} : stage_end_ - now;
  auto order = command{};
  order.argv = what.argv;
  order.work_dir = what.work_dir;
  order.variables = {"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"};
  order.variables.insert(order.variables.end(), what.variables.begin(), what.variables.end());
  order.limit = std::max(std::chrono::ceil<std::chrono::seconds>(std::min(run_left, left)),
                         std::chrono::seconds{1});
  auto result = machine_->exec(order, stop_, [&](int stream, std::string_view bytes) {
    if (const auto& seen = stream == 1 ? what.on_stdout : what.on_stderr)
      seen(bytes);
    if (what.logged)
      sink_.output(bytes);
  });
  if (result.how == command_result::end::timed_out && run_left <= left)
    run_is_over_ = true;
  return result;
}

command_result package_session::run(step what, std::string& out) {
  what.on_stdout = [&](std::string_view bytes) {
    out.append(bytes.substr(0, most_kept - std::min(most_kept, out.size())));
  };
  return run(what);
}

stage_end package_session::judge(const command_result& result, reason otherwise,
                                 std::string_view what) const {
  using end = command_result::end;
  auto name = std::string{what};
  switch (result.how) {
    case end::exited: break;
    case end::timed_out:
      if (run_is_over_)
        return {reason::task_timeout, result.exit_code, "the run's time is over", {}};
      return {reason::stage_timeout, result.exit_code, name + " took too long and was killed", {}};
    case end::canceled: return {reason::canceled, result.exit_code, "canceled", {}};
    case end::infra:
      return {
        reason::exec_infra, result.exit_code, name + " was not started: " + result.detail, {}};
    case end::lost:
      return {reason::env_lost, result.exit_code, "the environment is gone: " + result.detail, {}};
  }
  if (result.exit_code == 0)
    return {};
  if (result.out_of_memory)
    return {reason::oom, result.exit_code, name + ": out of memory", {}};
  auto note = name + " ended with exit code " + std::to_string(result.exit_code);
  if (result.exit_code == 127)
    note += " (command not found)";
  return {otherwise, result.exit_code, std::move(note), {}};
}

stage_end package_session::must(const step& what, reason otherwise, std::string_view name) {
  return judge(run(what), otherwise, name);
}

stage_end package_session::must_fetch(step what, reason otherwise, std::string_view name) {
  auto errors = std::string{};
  what.on_stderr = [&](std::string_view bytes) {
    errors.append(bytes.substr(0, most_errors - std::min(most_errors, errors.size())));
  };
  auto end = judge(run(what), otherwise, name);
  if (end.why != otherwise)
    return end;
  for (auto said : {"Failed to fetch", "Error downloading packages", "Error Downloading Packages"})
    if (errors.find(said) != std::string::npos) {
      end.why = reason::repo_unreachable;
      end.note = std::string{name} + ": packages could not be fetched";
    }
  return end;
}

stage_end package_session::put(const std::vector<environment_file>& files) {
  if (auto why = machine_->put(files))
    return {reason::env_lost, 0, "cannot put files: " + one_line(why), {}};
  return {};
}

caf::error package_session::get(const std::string& path, uint64_t bytes_per_file,
                                const std::function<bool(const archive_entry&)>& each) {
  return machine_->get(path, bytes_per_file, each);
}

void package_session::say(std::string_view line) {
  sink_.output(std::string{line} + '\n');
}

reason package_session::over() const {
  if (stop_.stop_requested())
    return reason::canceled;
  if (run_is_over_ || clock::now() >= run_end_)
    return reason::task_timeout;
  return reason::none;
}

} // namespace troupe
