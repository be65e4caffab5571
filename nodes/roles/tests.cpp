#include "actors/run_pool.hpp"
#include "actors/runners/catalog/catalog.hpp"
#include "actors/test_runner.hpp"
#include "messages/text_rule.hpp"
#include "messages/time.hpp"
#include "nodes/roles/legacy_variable.hpp"
#include "nodes/roles/runner.hpp"

#include <sys/utsname.h>

#include <set>

namespace troupe {

namespace {

/// Returns this host's architecture in the words of queue names.
std::string host_arch() {
  auto host = utsname{};
  uname(&host);
  return host.machine;
}

/// Results of the last runs are taken in what the drain of the runs leaves of the node's.
void read_drain(const node_options& node, section& in, test_runner_options& options) {
  if (!in.has("drain_deadline"))
    options.drain_deadline = std::min(options.drain_deadline, node.drain_limit * 2 / 3);
  else if (options.drain_deadline >= node.drain_limit)
    in.complain("drain_deadline",
                "must be less than node.drain_limit, which is " + to_short_text(node.drain_limit));
  options.last_reports = (node.drain_limit - options.drain_deadline) * 9 / 10;
}

} // namespace

supervised_role prepare_runner(node_context& node, const runner_place& place, section in,
                               std::set<std::string>& names) {
  auto options = test_runner_options{};
  options.driver = place.driver;
  read_test_runner_options(in, options);
  if (options.driver == "process" && !in.has("prefetch"))
    read_legacy_variable<uint32_t>("PREFETCH", options.prefetch, 1, 256);
  read_drain(node.options, in, options);
  if (!in.has("name"))
    options.name = node.options.name + '-' + place.key;
  else if (!obeys("word", options.name))
    in.complain("name", "has characters that are not allowed in a word");
  if (!names.insert(options.name).second)
    in.complain("name", "is the name of another runner of this node");
  if (options.queues.empty())
    options.queues = {options.driver == "process" ? options.driver
                                                  : options.driver + '-' + host_arch() + "-0"};
  options.boot = node.boot;
  auto context = driver_context{options.name, node.options.data + "/runners/" + place.key};
  auto own = in.child(options.driver.c_str());
  auto driver = make_runner(options.driver, own, context);
  if (!driver && explain(driver.error()).code != ec::invalid_config)
    in.complain("driver", one_line(driver.error()));
  auto out = supervised_role{};
  out.role = place.role;
  out.drains = true;
  out.start = [&node, options, driver]() -> caf::expected<caf::strong_actor_ptr> {
    auto make = pool_maker(*node.sys, &node.roles, *driver, options.slots);
    return started(node.sys->spawn<caf::detached>(test_runner, &node.roles, options, make));
  };
  return out;
}

std::vector<supervised_role> prepare_tests(node_context& node, section& in) {
  auto out = std::vector<supervised_role>{};
  auto runners = in.child("runners");
  auto keys = runners.keys();
  auto names = std::set<std::string>{};
  if (keys.empty())
    keys = {"docker"};
  for (const auto& key : keys) {
    // It becomes part of a name that others see, and of a path.
    if (!obeys("word", key))
      runners.complain(key.c_str(), "has characters that are not allowed in a word");
    out.push_back(
      prepare_runner(node, {"tests/" + key, key, key}, runners.child(key.c_str()), names));
  }
  return out;
}

} // namespace troupe
