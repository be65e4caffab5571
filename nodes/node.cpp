#include "nodes/node.hpp"

#include "actors/store/disk_guard.hpp"
#include "messages/ids.hpp"
#include "nodes/signals.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <sstream>

namespace troupe {

namespace {

/// The baseline of CAF's configuration: no file of the working folder is read,
/// few threads that sleep when idle, no actor holds a thread for long.
struct caf_config : caf::actor_system_config {
  caf_config() {
    add_message_types<caf::id_block::troupe_atoms>();
    add_message_types<caf::id_block::troupe>();
    add_error_category(caf::atom("troupe"), [](uint8_t code, caf::atom_value, const caf::message&) {
      return to_string(static_cast<ec>(code));
    });
    auto none = std::istringstream{};
    parse(caf::string_list{}, none);
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::max(2U, std::thread::hardware_concurrency()));
    set("scheduler.max-throughput", 50);
  }
};

/// Makes the data folder private. Errors: `ec::unavailable`.
caf::error make_data_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return fault_at(ec::unavailable, path, std::string{"cannot be made: "} + std::strerror(errno));
  return caf::none;
}

/// Secrets must not end in a core file (spec/reliability_security.md S20).
void forbid_core_files() {
  auto none = rlimit{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

int leave(node_context& node) {
  notify_stopping();
  log(log_level::info, "node", "draining");
  auto late = uint32_t{0};
  auto waiter = caf::scoped_actor{*node.sys};
  auto boss = std::exchange(node.supervisor, {});
  waiter->request(boss, caf::infinite, drain_atom_v)
    .receive([&](uint32_t n) { late = n; }, [&](const caf::error&) { late = 1; });
  waiter->wait_for(boss);
  log(log_level::info, "node", "stopped");
  return late == 0 ? 0 : 4;
}

} // namespace

caf::expected<std::vector<supervised_role>> read_node(const std::string& path, node_context& node) {
  auto root = section{};
  if (!path.empty()) {
    auto in = section::from_file(path);
    if (!in)
      return std::move(in.error());
    root = std::move(*in);
  }
  node.options = read_node_options(root);
  auto everything = !root.has("roles");
  auto roles = root.child("roles");
  auto out = std::vector<supervised_role>{};
  for (const auto& row : role_table()) {
    auto name = std::string{row.name};
    if (!everything && !roles.has(name.c_str()))
      continue;
    auto options = roles.child(name.c_str());
    for (auto& what : row.prepare(node, options))
      out.push_back(std::move(what));
  }
  if (auto err = root.done())
    return err;
  return out;
}

int run_node(const std::string& config_path) {
  forbid_core_files();
  auto signals = signal_watch{}; // before any thread exists, so that all inherit the mask
  auto node = node_context{};
  auto children = read_node(config_path, node);
  if (!children) {
    std::cerr << one_line(children.error()) << '\n';
    return 2;
  }
  set_log(node.options.name, node.options.log);
  if (auto err = make_data_folder(node.options.data)) {
    std::cerr << one_line(err) << '\n';
    return 3;
  }
  auto config = caf_config{};
  auto sys = caf::actor_system{config};
  node.sys = &sys;
  node.boot = random_token();
  auto options = supervisor_options{};
  options.node = node.options.name;
  options.boot = node.boot;
  options.drain_limit = node.options.drain_limit;
  options.give_up = [&](const std::string&, bool at_start) { signals.raise(at_start ? 3 : 70); };
  node.supervisor = sys.spawn<caf::detached>(supervisor, &node.roles, std::move(*children),
                                             std::move(options));
  auto started_up = false;
  auto waiter = caf::scoped_actor{sys};
  waiter->request(node.supervisor, std::chrono::minutes{2}, status_atom_v)
    .receive([&](const node_status&) { started_up = true; }, [](const caf::error&) {});
  if (started_up && signals.raised() == 0)
    notify_ready();
  auto code = signals.wait();
  auto left = leave(node);
  return code != 0 ? code : left;
}

} // namespace troupe
