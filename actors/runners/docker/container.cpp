#include "actors/runners/docker/container.hpp"

#include "actors/runners/docker/container_exec.hpp"
#include "actors/runners/docker/tar_archive.hpp"

#include <charconv>

namespace troupe {

using namespace std::chrono_literals;

namespace {

constexpr auto slow_call = 120s;
constexpr auto short_call = 30s;

/// Returns "engine: message (status)" as an error.
caf::error engine_fault(ec code, std::string_view doing, const engine_reply& reply) {
  return fault(code, std::string{doing} + ": " + engine_message(reply.body) + " (status "
                       + std::to_string(reply.status) + ")");
}

caf::error create_fault(engine_meaning meaning, const engine_reply& reply) {
  switch (meaning) {
    case engine_meaning::no_image: return engine_fault(ec::not_found, "create container", reply);
    case engine_meaning::bad_request:
      return engine_fault(ec::invalid_config, "create container", reply);
    default: return engine_fault(ec::unavailable, "create container", reply);
  }
}

caf::expected<std::string> create(engine_client& engine, const container_order& order,
                                  const call_limit& limit) {
  auto name = container_name(order.run);
  auto request =
    engine_request{"POST", "/containers/create?name=" + name, json_text(create_body(order))};
  for (auto again = true;; again = false) {
    auto reply = engine.call(request, limit);
    if (!reply)
      return std::move(reply.error());
    auto meaning = meaning_of(engine_call::create, *reply);
    if (meaning == engine_meaning::ok) {
      auto parsed = engine_json(*reply);
      if (!parsed)
        return std::move(parsed.error());
      if (auto id = text_at(*parsed, {"Id"}); !id.empty())
        return id;
      return fault(ec::unavailable, "the container engine named no container");
    }
    // The leftover can only be an older life of this very run.
    if (meaning != engine_meaning::name_taken || !again)
      return create_fault(meaning, *reply);
    if (auto why = remove_container(engine, name, limit))
      return why;
  }
}

/// Reads the sum of the kernel's out-of-memory kills of either cgroup version.
uint64_t read_oom_kills(std::string_view text) {
  auto out = uint64_t{0};
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    constexpr auto word = std::string_view{"oom_kill "};
    auto value = uint64_t{0};
    if (line.starts_with(word)
        && std::from_chars(line.data() + word.size(), line.data() + line.size(), value).ec
             == std::errc{})
      out += value;
  }
  return out;
}

} // namespace

caf::expected<std::unique_ptr<container>>
container::start(engine_client engine, const container_order& order, std::stop_token stop) {
  auto limit = within(slow_call, stop);
  auto id = create(engine, order, limit);
  if (!id) {
    // A canceled or late create may still happen: take it back at once.
    if (auto code = explain(id.error()).code; code == ec::canceled || code == ec::timeout)
      static_cast<void>(remove_container(engine, container_name(order.run), within(1s)));
    return std::move(id.error());
  }
  // From here on the destructor removes it.
  auto out = std::unique_ptr<container>{new container{std::move(engine), *id, stop}};
  auto reply =
    out->engine_.call({"POST", "/containers/" + *id + "/start", {}}, within(slow_call, stop));
  if (!reply)
    return std::move(reply.error());
  switch (meaning_of(engine_call::start, *reply)) {
    case engine_meaning::ok: return out;
    case engine_meaning::refused_limits:
      return fault(
        ec::invalid_config,
        "start container: " + engine_message(reply->body)
          + "; lower the runner's limits `open_files` and `processes`, or raise the engine's");
    default: return engine_fault(ec::unavailable, "start container", *reply);
  }
}

container::~container() {
  static_cast<void>(destroy());
}

command_result container::exec(const command& what, std::stop_token stop,
                               const std::function<void(int, std::string_view)>& out) {
  if (id_.empty())
    return {.how = command_result::end::lost, .detail = "the container was removed"};
  auto result = container_exec{engine_, id_, ++commands_}.run(what, stop, out);
  if (result.how == command_result::end::exited && result.exit_code != 0)
    judge_failure(result, stop);
  return result;
}

void container::judge_failure(command_result& result, std::stop_token stop) {
  // The engines' own flag misses kills of anything but the main process.
  auto seen = std::string{};
  auto asked =
    run_plain(engine_, id_,
              {"cat", "/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events"},
              within(10s, stop), seen);
  if (asked) {
    auto kills = read_oom_kills(seen);
    result.out_of_memory = kills > oom_kills_;
    oom_kills_ = kills;
    return;
  }
  if (explain(asked.error()).code != ec::gone)
    return;
  // The failure was the container's end, not the command's.
  result.how = command_result::end::lost;
  result.detail = "the container died during the command";
  auto state = engine_.call({"GET", "/containers/" + id_ + "/json", {}}, within(short_call, stop));
  if (!state || state->status != 200)
    return;
  if (auto parsed = engine_json(*state))
    result.out_of_memory = at(*parsed, {"State", "OOMKilled"}) == json(true);
}

caf::error container::put(const std::vector<environment_file>& files) {
  auto tar = write_tar(files);
  if (!tar)
    return std::move(tar.error());
  auto reply = engine_.call(
    {"PUT", "/containers/" + id_ + "/archive?path=%2F", std::move(*tar), "application/x-tar"},
    within(slow_call, stop_));
  if (!reply)
    return std::move(reply.error());
  if (meaning_of(engine_call::put, *reply) != engine_meaning::ok)
    return engine_fault(ec::unavailable, "put files", *reply);
  return caf::none;
}

caf::error container::get(const std::string& path, uint64_t bytes_per_file,
                          const std::function<bool(const archive_entry&)>& each) {
  auto limit = within(short_call, stop_);
  auto line = engine_.stream(
    {"GET", "/containers/" + id_ + "/archive?path=" + encode_query(path), {}}, limit);
  if (!line)
    return std::move(line.error());
  if (line->head().status() != 200) {
    auto reply = read_rest(*line, limit);
    if (!reply)
      return std::move(reply.error());
    auto missing = meaning_of(engine_call::get, *reply) == engine_meaning::no_path;
    return engine_fault(missing ? ec::not_found : ec::unavailable, "read " + path, *reply);
  }
  auto broken = caf::error{};
  auto more = [&]() -> std::string_view {
    // The reader may take its time, the engine may not.
    auto how = line->next(within(short_call, stop_));
    if (how == engine_connection::outcome::bytes)
      return line->piece();
    broken = to_error(how);
    return {};
  };
  auto why = read_tar({.kept_per_file = bytes_per_file}, more, each);
  return broken ? broken : why;
}

caf::error container::destroy() {
  if (id_.empty())
    return caf::none;
  // Who cancels does not wait for a slow engine: the reaper comes later.
  auto patience = stop_.stop_requested() ? std::chrono::milliseconds{5s} : slow_call;
  auto why = remove_container(engine_, id_, within(patience));
  if (!why)
    id_.clear();
  return why;
}

caf::error remove_container(engine_client& engine, const std::string& id, const call_limit& limit) {
  for (;;) {
    auto reply = engine.call({"DELETE", "/containers/" + id + "?force=1&v=1", {}}, limit);
    if (!reply)
      return std::move(reply.error());
    switch (meaning_of(engine_call::remove, *reply)) {
      case engine_meaning::ok: return caf::none;
      case engine_meaning::in_progress: break;
      default: return engine_fault(ec::unavailable, "remove container", *reply);
    }
    if (limited_wait{limit}.pause(100ms) != limited_wait::outcome::ready)
      return fault(ec::timeout, "the container is still being removed");
  }
}

} // namespace troupe
