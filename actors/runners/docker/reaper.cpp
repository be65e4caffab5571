#include "actors/runners/docker/reaper.hpp"

#include "actors/runners/docker/container.hpp"
#include "config/log.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

using std::chrono::system_clock;

namespace {

std::optional<int64_t> number(std::string_view text) {
  auto out = int64_t{0};
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (fault != std::errc{} || end != text.data() + text.size() || out < 0)
    return std::nullopt;
  return out;
}

std::optional<run_key> read_run(const json& item) {
  auto job = parse_job_id(text_at(item, {"Labels", "troupe.job"}));
  auto run = number(text_at(item, {"Labels", "troupe.run"}));
  if (!job || !run || *run > UINT32_MAX)
    return std::nullopt;
  return run_key{*job, static_cast<uint32_t>(*run)};
}

} // namespace

std::vector<labelled_container> read_containers(const json& list) {
  auto out = std::vector<labelled_container>{};
  if (!list.is_array())
    return out;
  for (const auto& item : list) {
    auto one = labelled_container{};
    one.id = text_at(item, {"Id"});
    one.runner = text_at(item, {"Labels", "troupe.runner"});
    if (one.id.empty() || text_at(item, {"Labels", "troupe"}) != "1")
      continue;
    one.run = read_run(item);
    constexpr auto far = int64_t{1} << 33; // Beyond it the clock's nanoseconds overflow.
    if (auto at_second = number(text_at(item, {"Labels", "troupe.deadline"}));
        at_second && *at_second < far)
      one.deadline = system_clock::time_point{std::chrono::seconds{*at_second}};
    out.push_back(std::move(one));
  }
  return out;
}

bool is_orphan(const labelled_container& what, const std::vector<run_key>& alive,
               system_clock::time_point now) {
  if (!what.run || now > what.deadline)
    return true;
  return std::find(alive.begin(), alive.end(), *what.run) == alive.end();
}

caf::expected<std::vector<labelled_container>>
list_containers(engine_client& engine, const std::string& runner, const call_limit& limit) {
  auto filter = json{{"label", json::array({"troupe=1", "troupe.runner=" + runner})}};
  auto reply = engine.call(
    {"GET", "/containers/json?all=1&filters=" + encode_query(json_text(filter)), {}}, limit);
  if (!reply)
    return std::move(reply.error());
  if (reply->status != 200)
    return fault(ec::unavailable, "list containers: " + engine_message(reply->body));
  auto parsed = engine_json(*reply);
  if (!parsed)
    return std::move(parsed.error());
  auto out = read_containers(*parsed);
  // Trust no filter with what is to be deleted.
  std::erase_if(out, [&runner](const auto& one) { return one.runner != runner; });
  return out;
}

caf::expected<sweep_result> sweep_containers(engine_client& engine, const std::string& runner,
                                             const std::vector<run_key>& alive,
                                             const call_limit& limit) {
  auto found = list_containers(engine, runner, limit);
  if (!found)
    return std::move(found.error());
  auto out = sweep_result{};
  for (const auto& one : *found) {
    if (!is_orphan(one, alive, system_clock::now()))
      continue;
    auto why = remove_container(engine, one.id, limit);
    if (why) {
      ++out.failed;
      log(log_level::warning, "docker_driver", "orphan container not removed",
          {{"runner", runner}, {"container", one.id}, {"why", one_line(why)}});
      continue;
    }
    ++out.removed;
    log(log_level::info, "docker_driver", "orphan container removed",
        {{"runner", runner}, {"container", one.id}});
  }
  return out;
}

} // namespace troupe
