#include "actors/runners/docker/container_exec.hpp"

#include "actors/runners/docker/container_order.hpp"

namespace troupe {

using namespace std::chrono_literals;

namespace {

constexpr auto quick_call = 30s;
constexpr auto kill_call = 5s;
constexpr auto quiet_turn = 1s;  ///< How long a silent stream is trusted.
constexpr auto late_output = 2s; ///< How long output may come after the end.
constexpr auto grace_at_limit = 5s;
constexpr auto grace_at_cancel = 1s;
constexpr auto after_kill_at_limit = 5s;
constexpr auto after_kill_at_cancel = 500ms;
constexpr auto max_plain_output = size_t{64} << 10;
constexpr auto exec_failed = 125;

/// Notes the process group, then becomes the command.
constexpr auto wrapper = R"(echo $$ >"$0"; exec "$@")";

/// Sends TERM to the group of the command.
constexpr auto term_script = R"(read -r group <"$0" && kill -s TERM -- "-$group")";

/// Kills everything but init, the main process and this shell, by builtins alone:
/// there may be no process left to fork. What forks faster than this loop is left
/// to the container's own end (exit 3).
constexpr auto sweep_script = R"(
read -r main <"$1"
read -r group <"$0" && kill -s KILL -- "-$group"
turn=0
while [ $turn -lt 50 ]; do
  found=
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    case $pid in 1|"$main"|$$) continue ;; esac
    state=
    read -r line 2>/dev/null <"$dir/stat" || continue
    state=${line##*) }
    case $state in Z*) continue ;; esac
    kill -s KILL "$pid" && found=1
  done
  [ -z "$found" ] && exit 0
  turn=$((turn + 1))
done 2>/dev/null
exit 3
)";

json exec_body(const std::vector<std::string>& argv, const std::vector<std::string>& variables,
               const std::string& work_dir) {
  return {{"AttachStdin", false},   {"AttachStdout", true}, {"AttachStderr", true},
          {"Tty", false},           {"Cmd", argv},          {"Env", variables},
          {"WorkingDir", work_dir}, {"User", "0:0"}};
}

caf::error refusal(engine_call call, const engine_reply& reply) {
  auto text = engine_message(reply.body);
  switch (meaning_of(call, reply.status, text)) {
    case engine_meaning::ok: return caf::none;
    case engine_meaning::no_container:
    case engine_meaning::not_running: return fault(ec::gone, "the container is gone: " + text);
    default: return fault(ec::unavailable, "run command: " + text);
  }
}

/// Creates an exec and opens its stream. Errors: as `run_plain`.
caf::error open_exec(engine_client& engine, const std::string& container, const json& body,
                     const call_limit& limit, std::string& exec, engine_connection& line) {
  auto made = engine.call({"POST", "/containers/" + container + "/exec", json_text(body)}, limit);
  if (!made)
    return std::move(made.error());
  if (auto why = refusal(engine_call::exec_create, *made))
    return why;
  auto parsed = engine_json(*made);
  if (!parsed)
    return std::move(parsed.error());
  exec = text_at(*parsed, {"Id"});
  // Attached always: Podman never notices the end of a detached one.
  auto opened =
    engine.stream({"POST", "/exec/" + exec + "/start", R"({"Detach":false,"Tty":false})"}, limit);
  if (!opened)
    return std::move(opened.error());
  line = std::move(*opened);
  if (auto status = line.head().status(); status == 200 || status == 101)
    return caf::none;
  auto reply = read_rest(line, limit);
  return reply ? refusal(engine_call::exec_start, *reply) : std::move(reply.error());
}

command_result canceled_result() {
  return {.how = command_result::end::canceled, .detail = "canceled"};
}

struct exec_state {
  bool running = true;
  int exit_code = 0;
};

caf::expected<exec_state> inspect(engine_client& engine, const std::string& exec,
                                  const call_limit& limit) {
  auto reply = engine.call({"GET", "/exec/" + exec + "/json", {}}, limit);
  if (!reply)
    return std::move(reply.error());
  if (auto why = refusal(engine_call::exec_inspect, *reply))
    return why;
  auto parsed = engine_json(*reply);
  if (!parsed)
    return std::move(parsed.error());
  auto out = exec_state{};
  out.running = at(*parsed, {"Running"}) == json(true);
  const auto& code = at(*parsed, {"ExitCode"});
  out.exit_code = code.is_number_integer() ? code.get<int>() : 0;
  return out;
}

/// Waits until the engine has noticed the end of an exec whose stream has ended.
caf::expected<exec_state> final_state(engine_client& engine, const std::string& exec,
                                      const call_limit& limit) {
  for (;;) {
    auto state = inspect(engine, exec, limit);
    if (!state || !state->running)
      return state;
    if (limited_wait{limit}.pause(20ms) != limited_wait::outcome::ready)
      return fault(ec::timeout, "the engine does not see the end of a command");
  }
}

} // namespace

container_exec::container_exec(engine_client& engine, const std::string& container, uint64_t number)
  : engine_{engine}, container_{container}, pid_file_{"/run/troupe-" + std::to_string(number)
                                                      + ".pid"} {}

command_result container_exec::run(const command& what, std::stop_token stop,
                                   const std::function<void(int, std::string_view)>& out) {
  if (stop.stop_requested())
    return canceled_result();
  out_ = &out;
  phase_end_ = clock::now() + what.limit;
  if (auto why = start(what, within(quick_call, stop))) {
    auto parts = explain(why);
    if (parts.code == ec::canceled)
      return canceled_result();
    if (parts.code == ec::gone)
      return lost(parts.text);
    return {.how = command_result::end::infra, .detail = parts.text};
  }
  follow(stop);
  return finish();
}

caf::error container_exec::start(const command& what, const call_limit& limit) {
  auto argv = std::vector<std::string>{"sh", "-c", wrapper, pid_file_};
  argv.insert(argv.end(), what.argv.begin(), what.argv.end());
  return open_exec(engine_, container_, exec_body(argv, what.variables, what.work_dir), limit,
                   exec_, line_);
}

void container_exec::follow(std::stop_token stop) {
  for (;;) {
    if (stop.stop_requested() && !canceled_)
      terminate(true);
    if (clock::now() >= phase_end_)
      escalate();
    if (phase_ == phase::container_killed && clock::now() >= phase_end_)
      return;
    auto turn = std::min(phase_end_, clock::now() + quiet_turn);
    switch (line_.next({turn, canceled_ ? std::stop_token{} : stop})) {
      case engine_connection::outcome::bytes:
        ended_at_.reset();
        take(line_.piece());
        break;
      case engine_connection::outcome::timeout:
        if (ended_behind_the_stream())
          return;
        break;
      case engine_connection::outcome::stopped: break;
      case engine_connection::outcome::end: return;
      case engine_connection::outcome::broken:
        broken_ = to_error(engine_connection::outcome::broken);
        return;
    }
    if (broken_)
      return;
  }
}

void container_exec::take(std::string_view bytes) {
  auto whole = frames_.feed(bytes, [this](int stream, std::string_view text) {
    constexpr auto enough = size_t{400};
    if (stream == 2 && head_of_errors_.size() < enough)
      head_of_errors_ += text.substr(0, enough - head_of_errors_.size());
    (*out_)(stream, text);
  });
  if (!whole)
    broken_ = fault(ec::unavailable, "the engine's output stream is damaged");
}

void container_exec::escalate() {
  switch (phase_) {
    case phase::running: terminate(false); break;
    case phase::terminating: {
      auto ignored = std::string{};
      phase_ = phase::killing;
      auto swept = run_plain(engine_, container_,
                             {"sh", "-c", sweep_script, pid_file_, std::string{main_pid_file()}},
                             within(canceled_ ? 1s : kill_call), ignored);
      auto done = swept && *swept == 0;
      auto patience = canceled_ ? clock::duration{after_kill_at_cancel} : after_kill_at_limit;
      phase_end_ = clock::now() + (done ? patience : clock::duration::zero());
      break;
    }
    case phase::killing:
      phase_ = phase::container_killed;
      static_cast<void>(engine_.call(
        {"POST", "/containers/" + container_ + "/kill?signal=KILL", {}}, within(kill_call)));
      phase_end_ = clock::now() + (canceled_ ? 500ms : 5s);
      break;
    case phase::container_killed: break;
  }
}

void container_exec::terminate(bool canceled) {
  canceled_ = canceled_ || canceled;
  timed_out_ = !canceled_;
  if (phase_ != phase::running) {
    // Canceled in the grace of a timeout: no more patience.
    phase_end_ = std::min(phase_end_, clock::now() + grace_at_cancel);
    return;
  }
  phase_ = phase::terminating;
  auto ignored = std::string{};
  auto began = clock::now();
  auto sent = run_plain(engine_, container_, {"sh", "-c", term_script, pid_file_},
                        within(canceled_ ? 1s : kill_call), ignored);
  // Nobody was told, so nobody needs time to obey.
  auto grace = canceled_ ? clock::duration{grace_at_cancel} : grace_at_limit;
  phase_end_ = sent && *sent == 0 ? began + grace : clock::now();
}

bool container_exec::ended_behind_the_stream() {
  auto now = clock::now();
  if (!ended_at_) {
    auto state = inspect(engine_, exec_, within(kill_call));
    if (!state) {
      broken_ = state.error();
      return true;
    }
    if (!state->running)
      ended_at_ = now;
    return false;
  }
  // A child in the background holds the output open; the command itself is over.
  return now - *ended_at_ >= late_output;
}

command_result container_exec::finish() {
  if (timed_out_ && phase_ == phase::terminating && !broken_) {
    // It obeyed TERM; whatever left its process group did not hear it.
    escalate();
    if (clock::now() >= phase_end_)
      escalate();
  }
  if (canceled_)
    return canceled_result();
  if (timed_out_) {
    auto gone = phase_ == phase::container_killed;
    return {.how = command_result::end::timed_out,
            .exit_code = 137,
            .detail = gone ? "the container had to be killed" : ""};
  }
  if (broken_)
    return lost(explain(broken_).text);
  auto state = final_state(engine_, exec_, within(quick_call));
  if (!state)
    return lost(explain(state.error()).text);
  auto result = command_result{};
  result.exit_code = state->exit_code;
  if (!frames_.between_frames())
    result.detail = "the end of the output is missing";
  auto engine_speaks = head_of_errors_.find("exec failed") != std::string::npos
                       || head_of_errors_.find("OCI runtime") != std::string::npos;
  if (result.exit_code == exec_failed && engine_speaks) {
    result.how = command_result::end::infra;
    result.detail = head_of_errors_;
  }
  return result;
}

command_result container_exec::lost(std::string why) const {
  return {.how = command_result::end::lost, .detail = std::move(why)};
}

caf::expected<int> run_plain(engine_client& engine, const std::string& container,
                             const std::vector<std::string>& argv, const call_limit& limit,
                             std::string& out) {
  auto exec = std::string{};
  auto line = engine_connection{};
  if (auto why = open_exec(engine, container, exec_body(argv, {}, "/"), limit, exec, line))
    return why;
  auto frames = engine_stream{};
  auto how = engine_connection::outcome::bytes;
  while ((how = line.next(limit)) == engine_connection::outcome::bytes)
    frames.feed(line.piece(), [&out](int stream, std::string_view text) {
      if (stream == 1 && out.size() < max_plain_output)
        out += text.substr(0, max_plain_output - out.size());
    });
  if (how != engine_connection::outcome::end)
    return to_error(how);
  auto state = final_state(engine, exec, limit);
  if (!state)
    return std::move(state.error());
  if (state->exit_code == exec_failed)
    return fault(ec::unavailable, "the engine could not start a command");
  return state->exit_code;
}

} // namespace troupe
