#include "actors/runners/exec_process.hpp"
#include "actors/runners/exec_protocol.hpp"
#include "actors/runners/process_mark.hpp"
#include "actors/runners/run_clock.hpp"
#include "actors/runners/stop_bell.hpp"
#include "messages/json.hpp"
#include "messages/test.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace troupe {

namespace {

using std::chrono::steady_clock;

constexpr auto artifact_limit = uint64_t{64} << 20;
constexpr auto cancel_grace = std::chrono::seconds{1};
constexpr auto deadline_grace = std::chrono::seconds{5};
constexpr auto result_grace = std::chrono::seconds{5}; // from the result to the end
constexpr auto drain_grace = std::chrono::seconds{1};  // from the end to the end of its output

struct exec_options {
  std::vector<std::string> argv;
  std::map<std::string, std::string> variables;
};

/// Returns the line that the program reads.
std::string request_line(const run_order& order, const test_spec& spec) {
  auto out = json::object();
  out["version"] = 1;
  out["job_id"] = to_string(order.job);
  out["run_id"] = order.run_id;
  out["kind"] = order.kind;
  out["spec"] = write_json(spec);
  out["deadline_s"] = std::chrono::duration<double>(order.deadline).count();
  return json_text(out) + '\n';
}

/// Reads a regular file that the program left; it need not be a friend of ours.
caf::expected<std::string> read_file(const std::string& path) {
  auto file = owned_fd{open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  struct stat about {};
  if (!file || fstat(file.get(), &about) != 0)
    return fault(ec::not_found, path + ": " + std::strerror(errno));
  if (!S_ISREG(about.st_mode))
    return fault(ec::invalid_argument, path + " is not a regular file");
  if (static_cast<uint64_t>(about.st_size) > artifact_limit)
    return fault(ec::too_large, path + " is larger than 64 MiB");
  auto out = std::string(static_cast<size_t>(about.st_size), '\0');
  auto done = size_t{0};
  while (done < out.size()) {
    auto n = read(file.get(), out.data() + done, out.size() - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    done += static_cast<size_t>(n);
  }
  out.resize(done);
  return out;
}

/// Follows one run of the program to its end.
class exec_run {
public:
  exec_run(exec_process process, run_sink& sink, const run_clock& clock)
    : process_{std::move(process)}, protocol_{sink, read_file}, clock_{clock} {}

  run_outcome follow(int bell) {
    while (!is_over()) {
      process_.wait(why_ == reason::none ? bell : -1, next_deadline());
      protocol_.feed(process_.read_output());
      protocol_.feed_errors(process_.read_errors());
      advance();
    }
    auto out = judge();
    protocol_.finish(out.why);
    return out;
  }

private:
  bool is_over() const {
    return ended_ && (process_.is_drained() || steady_clock::now() >= end_by_);
  }

  steady_clock::time_point next_deadline() const {
    auto out = why_ == reason::none ? clock_.end() : steady_clock::time_point::max();
    if (kill_by_ != never)
      out = std::min(out, kill_by_);
    if (end_by_ != never)
      out = std::min(out, end_by_);
    // A deadline that is far away must not overflow poll.
    return std::min(out, steady_clock::now() + std::chrono::seconds{30});
  }

  void advance() {
    auto now = steady_clock::now();
    if (!ended_ && process_.has_ended()) {
      ended_ = true;
      end_by_ = now + drain_grace;
      kill_by_ = never;
    }
    if (ended_)
      return;
    if (auto over = clock_.over(); why_ == reason::none && over != reason::none) {
      why_ = over;
      end_program(over == reason::canceled ? cancel_grace : deadline_grace);
    } else if (kill_by_ == never && !protocol_.fault().empty()) {
      end_program(cancel_grace);
    } else if (kill_by_ == never && protocol_.outcome()) {
      kill_by_ = now + result_grace;
    }
    if (now >= kill_by_) {
      process_.signal(SIGKILL);
      kill_by_ = now + drain_grace; // again, until it is gone
    }
  }

  void end_program(std::chrono::seconds grace) {
    process_.signal(SIGTERM);
    kill_by_ = std::min(kill_by_, steady_clock::now() + grace);
  }

  run_outcome judge() const {
    if (why_ != reason::none)
      return {verdict_of(why_), why_, {}};
    if (!protocol_.fault().empty())
      return {verdict::error, reason::exec_infra,
              "the command broke the protocol: " + protocol_.fault()};
    if (protocol_.outcome())
      return *protocol_.outcome();
    return {verdict::error, reason::exec_infra,
            "the command ended without a result, " + process_.describe_end()};
  }

  static constexpr auto never = steady_clock::time_point::max();

  exec_process process_;
  exec_protocol protocol_;
  const run_clock& clock_;
  reason why_ = reason::none;
  bool ended_ = false;
  steady_clock::time_point kill_by_ = never;
  steady_clock::time_point end_by_ = never;
};

/// Executes each run by a program of this host: a runner type in any language.
class exec_driver : public runner_driver {
public:
  exec_driver(exec_options options, const driver_context& context)
    : options_{std::move(options)}, marks_{context.data_folder.empty()
                                             ? ""
                                             : context.data_folder + "/processes"} {
    variables_.push_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (const auto& [name, value] : options_.variables) {
      if (name == "PATH")
        variables_.front() = "PATH=" + value;
      else
        variables_.push_back(name + '=' + value);
    }
  }

  caf::error check() override {
    if (access(options_.argv[0].c_str(), X_OK) != 0)
      return fault(ec::unavailable, options_.argv[0] + ": " + std::strerror(errno));
    return {};
  }

  run_outcome run(const run_order& order, run_sink& sink, std::stop_token stop) override {
    auto spec = unpack<test_spec>(order.spec);
    if (order.kind != "test" || !spec)
      return {verdict::error, reason::malformed_request, "the spec is not one of a test"};
    for (const auto& variable : spec->variables)
      if (variable.secret)
        sink.mask(variable.value);
    auto clock = run_clock{order, stop};
    if (auto over = clock.over(); over != reason::none)
      return {verdict_of(over), over, {}};
    auto mark =
      process_mark::make(marks_, to_string(order.job) + '/' + std::to_string(order.run_id));
    if (!mark)
      return {verdict::error, reason::exec_infra, one_line(mark.error())};
    auto what = child_order{options_.argv, variables_, "/"};
    what.variables.insert(what.variables.begin(), mark->variable());
    auto bell = stop_bell{stop};
    auto process = exec_process::start(what, request_line(order, *spec));
    if (!process)
      return {verdict::error, reason::exec_infra, one_line(process.error())};
    return exec_run{std::move(*process), sink, clock}.follow(bell.get());
  }

  void sweep(const std::vector<run_key>&) override {
    // Notes of living runs are locked: no list is needed.
    if (!marks_.empty())
      sweep_marks(marks_);
  }

private:
  exec_options options_;
  std::string marks_; ///< Folder with the notes of what runs.
  std::vector<std::string> variables_;
};

} // namespace

/// Keys: `argv` (the program, an absolute path, and its arguments), `variables` (its environment).
caf::expected<runner_driver_ptr> make_exec_runner(section& options, const driver_context& context) {
  auto read = exec_options{};
  options.read("argv", read.argv);
  options.read("variables", read.variables);
  if (read.argv.empty() || read.argv[0].empty() || read.argv[0][0] != '/')
    options.complain("argv", "begins with the absolute path of a program");
  for (const auto& [name, value] : read.variables)
    if (!obeys("variable", name))
      options.complain("variables", "\"" + name + "\" is no name of a variable");
  if (auto fault = options.done())
    return fault;
  return std::make_shared<exec_driver>(std::move(read), context);
}

} // namespace troupe
