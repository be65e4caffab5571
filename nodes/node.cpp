#include "nodes/node.hpp"

#include "actors/store/database.hpp"
#include "actors/store/disk_guard.hpp"
#include "messages/ids.hpp"
#include "nodes/cluster/certificate_watch.hpp"
#include "nodes/signals.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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
    parse(std::vector<std::string>{}, none);
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::max(2U, std::thread::hardware_concurrency()));
    set("scheduler.max-throughput", 50);
  }
};

constexpr auto margin = std::chrono::milliseconds{5'000};

/// Ends the process where waiting for its threads would have no end. What was
/// promised is on the disk, so nothing is lost.
[[noreturn]] void leave_now(int code, const std::string& why) {
  log(log_level::error, "node", "leaving at once", {{"code", code}, {"why", why}});
  _exit(code);
}

/// Secrets must not end in a core file (spec/reliability_security.md S20).
void forbid_core_files() {
  auto none = rlimit{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

} // namespace

caf::expected<std::vector<supervised_role>> read_node(section& root, node_context& node) {
  node.options = read_node_options(root);
  auto everything = !root.has("roles");
  auto roles = root.child("roles");
  auto names = std::vector<std::string>{};
  for (const auto& row : role_table())
    if (auto name = std::string{row.name}; everything ? row.standard : roles.has(name.c_str()))
      names.push_back(std::move(name));
  auto plays = [&](const char* role) {
    return std::find(names.begin(), names.end(), role) != names.end();
  };
  auto has_cluster = root.has("cluster");
  if (plays("history") && (plays("jobs") || !has_cluster))
    roles.complain("history", "is for a node that joins another; elsewhere it is part of jobs");
  node.with_jobs = plays("jobs") || has_cluster;
  auto cluster = root.child("cluster");
  auto out = prepare_cluster(node, has_cluster ? &cluster : nullptr, names);
  for (const auto& row : role_table()) {
    auto name = std::string{row.name};
    if (!plays(name.c_str()))
      continue;
    auto options = roles.child(name.c_str());
    for (auto& what : row.prepare(node, options))
      out.push_back(std::move(what));
  }
  if (auto err = root.done())
    return err;
  return out;
}

node::node() : context_{std::make_unique<node_context>()} {
  context_->boot = random_token();
}

node::~node() {
  stop();
  context_->roles.assign("supervisor", nullptr); // before the actors' system
  context_->connections = nullptr;
}

caf::error node::start(section& root, give_up on_give_up) {
  auto children = read_node(root, *context_);
  if (!children)
    return std::move(children.error());
  config_ = std::make_unique<caf_config>();
  if (root.has("cluster"))
    load_cluster_network(*config_);
  sys_ = std::make_unique<caf::actor_system>(*config_);
  context_->sys = sys_.get();
  const auto& own = context_->options;
  set_log(own.name, own.log);
  auto folder = node_folder::take(own.data);
  if (!folder)
    return std::move(folder.error());
  folder_ = std::move(*folder);
  auto options = supervisor_options{};
  options.node = own.name;
  options.boot = context_->boot;
  options.drain_limit = own.drain_limit;
  options.give_up = on_give_up;
  options.stuck = [](const std::string& roles) { leave_now(4, "roles do not end: " + roles); };
  stop_limit_ = options.drain_limit + options.end_limit + margin
                + 2 * static_cast<int>(children->size()) * options.role_grace;
  context_->supervisor = sys_->spawn<caf::detached>(supervisor, &context_->roles,
                                                    std::move(*children), std::move(options));
  watch_supervisor(std::move(on_give_up));
  // The supervisor answers once it has been through all first starts.
  auto out = caf::error{};
  caf::scoped_actor {
    *sys_
    } -> request(context_->supervisor, std::chrono::minutes{2}, status_atom_v)
      .receive([](const node_status&) {}, [&](caf::error& why) { out = std::move(why); });
  return out;
}

caf::error node::refuse_reload(const caf::error& why) {
  context_->reload_successful = false;
  return why;
}

caf::error node::reload(section& root) {
  auto fresh = node_context{};
  auto all = read_node(root, fresh);
  context_->reload_successful = static_cast<bool>(all);
  if (!all)
    return std::move(all.error());
  replace_peers(*context_, fresh.cluster);
  if (auto certificates = context_->roles.find<certificate_watch_actor>("certificates"))
    caf::anon_send(certificates, caf::tick_atom_v);
  return caf::none;
}

/// Without its supervisor nothing is kept up any more, so the node gives up.
void node::watch_supervisor(give_up on_give_up) {
  auto boss = caf::actor_cast<caf::actor>(context_->supervisor);
  boss->attach_functor([leaving = leaving_, on_give_up](const caf::error& why) {
    if (*leaving)
      return;
    log(log_level::error, "node", "the supervisor has ended", {{"why", one_line(why)}});
    on_give_up("the supervisor has ended: " + one_line(why), false);
  });
}

bool answers(caf::actor_system& system, const supervisor_actor& boss,
             std::chrono::milliseconds limit) {
  auto out = false;
  auto self = caf::scoped_actor{system};
  self->request(boss, limit, status_atom_v)
    .receive([&](const node_status&) { out = true; }, [](const caf::error&) {});
  return out;
}

uint32_t node::stop() {
  auto boss = std::exchange(context_->supervisor, {});
  if (!boss)
    return 0;
  *leaving_ = true;
  auto late = uint32_t{0};
  auto why = caf::error{};
  caf::scoped_actor {
    *sys_
    } -> request(boss, stop_limit_, drain_atom_v)
      .receive([&](uint32_t n) { late = n; }, [&](caf::error& x) { why = std::move(x); });
  // The roles of a dead supervisor live on and nobody ends them.
  if (why && why != caf::sec::request_timeout)
    leave_now(70, "the supervisor has ended: " + one_line(why));
  if (why)
    leave_now(4, "the supervisor does not answer");
  boss = nullptr;
  if (context_->store)
    if (auto unflushed = context_->store->flush())
      log(log_level::warning, "node", "the next start replays the log",
          {{"why", one_line(unflushed)}});
  return late;
}

namespace {

/// What a SIGHUP asks for.
void reload(node& it, const std::string& config_path) {
  auto root =
    config_path.empty() ? caf::expected<section>{section{}} : section::from_file(config_path);
  auto why = root ? it.reload(*root) : it.refuse_reload(root.error());
  log(why ? log_level::error : log_level::info, "node",
      why ? "the configuration is not fit, nothing changes"
          : "read again: cluster.peers and certificates",
      {{"why", why ? one_line(why) : ""}});
}

} // namespace

int run_node(const std::string& config_path) {
  forbid_core_files();
  umask(0077);                   // jobs may carry secrets: what the node writes is its own
  auto signals = signal_watch{}; // before any thread exists, so that all inherit the mask
  auto root = section{};
  if (!config_path.empty()) {
    auto in = section::from_file(config_path);
    if (!in) {
      std::cerr << one_line(in.error()) << '\n';
      return 2;
    }
    root = std::move(*in);
  }
  auto it = node{};
  auto give_up = [&](const std::string&, bool at_start) { signals.raise(at_start ? 3 : 70); };
  if (auto err = it.start(root, give_up)) {
    std::cerr << one_line(err) << '\n';
    return explain(err).code == ec::invalid_config ? 2 : 3;
  }
  if (signals.raised() == 0)
    notify_ready();
  auto is_alive = [&](std::chrono::milliseconds limit) {
    auto yes = answers(it.actors(), it.boss(), limit);
    if (!yes)
      log(log_level::error, "node", "the supervisor does not answer; the watchdog goes hungry");
    return yes;
  };
  auto code = signals.wait([&] { reload(it, config_path); }, is_alive);
  notify_stopping();
  log(log_level::info, "node", "draining");
  auto late = it.stop();
  log(log_level::info, "node", "stopped");
  return code != 0 ? code : late == 0 ? 0 : 4;
}

} // namespace troupe
