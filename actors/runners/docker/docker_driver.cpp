#include "actors/runners/docker/docker_driver.hpp"

#include "actors/runners/docker/container.hpp"
#include "actors/runners/docker/reaper.hpp"
#include "actors/runners/git_checkout.hpp"
#include "config/log.hpp"
#include "messages/test.hpp"

#include <filesystem>

namespace troupe {

using namespace std::chrono_literals;

namespace {

constexpr auto probe_limit = 10s;
constexpr auto sweep_limit = 50s;
/// A container outlives the deadline of its run by this much, so that the run
/// itself gets to say that it is late.
constexpr auto reaper_slack = 2min;
constexpr auto default_deadline = 2h;

caf::expected<engine_reply> probe(engine_client& engine, const char* target) {
  auto reply = engine.call({"GET", target, {}}, within(probe_limit));
  if (reply && reply->status != 200)
    return fault(ec::unavailable, "the container engine answers " + std::to_string(reply->status)
                                    + " to " + target + ": " + engine_message(reply->body));
  return reply;
}

} // namespace

caf::error docker_driver::check() {
  auto socket = find_engine_socket(options_.socket);
  if (socket.empty())
    return fault(ec::unavailable, "no container engine: no socket of Docker or Podman was found");
  auto engine = engine_client{socket};
  if (auto reply = probe(engine, "/_ping"); !reply)
    return std::move(reply.error());
  auto reply = probe(engine, "/info");
  if (!reply)
    return std::move(reply.error());
  auto parsed = engine_json(*reply);
  if (!parsed)
    return std::move(parsed.error());
  return check_disk(*parsed);
}

caf::error docker_driver::check_disk(const json& engine) const {
  auto folder = text_at(engine, {"DockerRootDir"});
  auto none = std::error_code{};
  // An engine behind a forwarded socket stores elsewhere: nothing to look at.
  if (folder.empty() || !std::filesystem::is_directory(folder, none))
    return caf::none;
  auto space = std::filesystem::space(folder, none);
  if (none || space.available >= options_.min_free_disk)
    return caf::none;
  return fault(ec::unavailable, "only " + std::to_string(space.available >> 20)
                                  + " MiB free where the container engine stores (" + folder + ")");
}

caf::expected<environment_ptr> docker_driver::start(const test_spec& spec, const run_order& order,
                                                    std::stop_token stop) const {
  auto socket = find_engine_socket(options_.socket);
  if (socket.empty())
    return fault(ec::unavailable, "no container engine: no socket of Docker or Podman was found");
  auto engine = engine_client{socket};
  auto image = image_for(options_.images, spec);
  if (auto why = ensure_image(engine, options_.images, image, spec.dist_arch, stop))
    return why;
  auto span = order.deadline > caf::timespan{0}
                ? std::chrono::ceil<std::chrono::seconds>(order.deadline)
                : std::chrono::seconds{default_deadline};
  auto wanted = container_order{.image = image,
                                .runner = runner_,
                                .run = {order.job, order.run_id},
                                .deadline = std::chrono::system_clock::now() + span + reaper_slack,
                                .variables = {},
                                .limits = options_.limits};
  auto made = container::start(std::move(engine), wanted, stop);
  if (!made)
    return std::move(made.error());
  return environment_ptr{std::move(*made)};
}

run_outcome docker_driver::run(const run_order& order, run_sink& sink, std::stop_token stop) {
  auto spec = unpack<test_spec>(order.spec);
  if (!spec)
    return {verdict_of(reason::malformed_request), reason::malformed_request,
            "the job's spec cannot be read: " + one_line(spec.error())};
  auto key = run_key{order.job, order.run_id};
  {
    auto guard = std::lock_guard{mutex_};
    busy_.insert(key);
  }
  auto wrong_platform = false;
  auto make = [&]() -> caf::expected<environment_ptr> {
    auto made = start(*spec, order, stop);
    wrong_platform = !made && explain(made.error()).code == ec::unsupported;
    return made;
  };
  auto outcome = run_package_test(*spec, order, make, sink, stop, options_.test);
  // Another try on this host cannot help.
  if (wrong_platform && outcome.why != reason::canceled) {
    outcome.why = reason::unsupported_platform;
    outcome.result = verdict_of(outcome.why);
  }
  auto guard = std::lock_guard{mutex_};
  busy_.erase(key);
  return outcome;
}

void docker_driver::sweep(const std::vector<run_key>& alive) {
  sweep_clones(options_.test.work_folder);
  auto socket = find_engine_socket(options_.socket);
  if (socket.empty())
    return;
  auto keep = alive;
  {
    auto guard = std::lock_guard{mutex_};
    keep.insert(keep.end(), busy_.begin(), busy_.end());
  }
  auto engine = engine_client{socket};
  if (auto swept = sweep_containers(engine, runner_, keep, within(sweep_limit)); !swept)
    log(log_level::warning, "docker_driver", "sweep failed",
        {{"runner", runner_}, {"why", one_line(swept.error())}});
}

} // namespace troupe
