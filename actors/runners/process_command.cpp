#include "actors/runners/process_command.hpp"

#include "actors/runners/exec_process.hpp"
#include "actors/runners/process_mark.hpp"
#include "actors/runners/stop_bell.hpp"
#include "messages/json.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace troupe {

namespace {

constexpr auto most_result_bytes = size_t{64} << 10;
constexpr auto longest_complaint = size_t{400};
constexpr auto canceled_grace = std::chrono::seconds{1};
constexpr auto timeout_grace = std::chrono::seconds{5};
constexpr auto output_grace = std::chrono::seconds{1}; // from the end to the end of its output

/// Returns the line that the program reads.
std::string task_line(const run_order& order, const process_spec& spec) {
  auto out = json::object();
  out["id"] = spec.task.empty() ? to_task_id(order.job) : spec.task;
  out["object"] = write_json(spec.what);
  out["attempt"] = order.run_id + 1;
  out["index"] = spec.index;
  out["count"] = spec.count;
  out["deadline_s"] = std::chrono::duration<double>(order.deadline).count();
  return json_text(out) + '\n';
}

/// Keeps the beginning of a stream.
void keep_some(std::string& to, std::string_view more, size_t most) {
  to.append(more.substr(0, most - std::min(most, to.size())));
}

/// Returns the first line that says something.
std::string complaint_of(std::string_view text) {
  auto from = text.find_first_not_of("\r\n\t ");
  if (from == std::string_view::npos)
    return {};
  text.remove_prefix(from);
  auto out = std::string{text.substr(0, std::min(text.find_first_of("\r\n"), longest_complaint))};
  std::replace_if(
    out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

run_outcome failed(std::string note) {
  return {verdict::fail, reason::process_failed, std::move(note)};
}

/// Follows the program to its end, or ends it.
class command_run {
public:
  command_run(exec_process process, const run_clock& clock)
    : process_{std::move(process)}, clock_{clock} {}

  run_outcome follow(int bell) {
    auto ended_at = never;
    // A program may close its output before it ends; only its end says how it went.
    while (!(ended_at != never && process_.is_drained()) && steady::now() < ended_at) {
      // A deadline that is far away must not overflow poll.
      auto until = std::min({why_ == reason::none ? clock_.end() : never, kill_by_, ended_at,
                             steady::now() + std::chrono::seconds{30}});
      process_.wait(why_ == reason::none ? bell : -1, until);
      keep_some(output_, process_.read_output(), most_result_bytes + 1);
      keep_some(errors_, process_.read_errors(), most_result_bytes);
      if (ended_at == never && process_.has_ended())
        ended_at = steady::now() + output_grace;
      if (ended_at == never)
        end_if_due();
    }
    return judge();
  }

private:
  using steady = std::chrono::steady_clock;
  static constexpr auto never = steady::time_point::max();

  void end_if_due() {
    if (auto over = clock_.over(); why_ == reason::none && over != reason::none) {
      why_ = over;
      process_.signal(SIGTERM);
      kill_by_ = steady::now() + (over == reason::canceled ? canceled_grace : timeout_grace);
    }
    if (steady::now() >= kill_by_) {
      process_.signal(SIGKILL);
      kill_by_ = steady::now() + canceled_grace; // again, until it is gone
    }
  }

  run_outcome judge() {
    if (why_ != reason::none)
      return {verdict_of(why_), why_, {}};
    if (process_.exit_code() != 0) {
      auto said = complaint_of(errors_);
      return failed(process_.describe_end() + (said.empty() ? "" : ": " + said));
    }
    if (output_.size() > most_result_bytes)
      return failed("the result is larger than 64 KiB");
    auto out = run_outcome{};
    if (output_.find_first_not_of("\r\n\t ") == std::string::npos)
      return out;
    auto result = parse_json_text(output_);
    if (!result)
      return failed("the result is not JSON: " + one_line(result.error()));
    out.data = json_text(*result);
    return out;
  }

  exec_process process_;
  const run_clock& clock_;
  reason why_ = reason::none;
  steady::time_point kill_by_ = never;
  std::string output_;
  std::string errors_;
};

} // namespace

process_command::process_command(std::vector<std::string> argv, std::vector<std::string> variables,
                                 std::string marks)
  : argv_{std::move(argv)}, variables_{std::move(variables)}, marks_{std::move(marks)} {}

caf::error process_command::check() const {
  if (access(argv_[0].c_str(), X_OK) != 0)
    return fault(ec::unavailable, argv_[0] + ": " + std::strerror(errno));
  return {};
}

run_outcome process_command::run(const run_order& order, const process_spec& spec,
                                 const run_clock& clock, const std::stop_token& stop) const {
  if (auto over = clock.over(); over != reason::none)
    return {verdict_of(over), over, {}};
  auto mark = process_mark::make(marks_, to_string(order.job) + '/' + std::to_string(order.run_id));
  if (!mark)
    return {verdict::error, reason::exec_infra, one_line(mark.error())};
  auto what = child_order{argv_, variables_, "/"};
  what.variables.insert(what.variables.begin(), mark->variable());
  auto bell = stop_bell{stop};
  auto process = exec_process::start(what, task_line(order, spec));
  if (!process)
    return {verdict::error, reason::exec_infra, one_line(process.error())};
  return command_run{std::move(*process), clock}.follow(bell.get());
}

void process_command::sweep() const {
  // Notes of living runs are locked: no list is needed.
  if (!marks_.empty())
    sweep_marks(marks_);
}

} // namespace troupe
