#include "actors/store/database.hpp"
#include "bridges/http/jwt.hpp"
#include "bridges/http/revocation_list.hpp"
#include "bridges/http/routes/http_bridge.hpp"
#include "config/log.hpp"
#include "nodes/build_commit.hpp"
#include "nodes/own_secret.hpp"
#include "nodes/role.hpp"

#include <caf/stateful_actor.hpp>
#include <sys/statvfs.h>

#include <fstream>
#include <sstream>

namespace troupe {

namespace {

/// Where token keys come from.
struct token_options {
  jwt_options jwt;
  std::string secret;      ///< HS256; empty = the node's own, made at the first start.
  std::string ed25519_key; ///< File with a PEM key, private or public; may be empty.
};

token_options read_tokens(section in) {
  auto out = token_options{};
  in.read_secret("secret", out.secret);
  in.read("ed25519_key_file", out.ed25519_key);
  in.read("issuer", out.jwt.issuer);
  in.read("audience", out.jwt.audience);
  auto leeway = std::chrono::milliseconds{out.jwt.leeway};
  in.read("leeway", leeway);
  if (leeway < std::chrono::seconds{0} || leeway > std::chrono::seconds{60})
    in.complain("leeway", "must be between 0s and 60s");
  out.jwt.leeway = std::chrono::duration_cast<std::chrono::seconds>(leeway);
  auto life = std::chrono::milliseconds{out.jwt.max_life};
  in.read("max_life", life);
  if (life < std::chrono::hours{1} || life > out.jwt.max_life)
    in.complain("max_life", "must be between 1h and 90d");
  out.jwt.max_life = std::chrono::duration_cast<std::chrono::hours>(life);
  in.read("revoked_file", out.jwt.revoked_file);
  in.read("accept_alts", out.jwt.accept_alts);
  auto level = std::string{name_of(out.jwt.alts_level)};
  in.read("alts_role", level);
  if (auto known = enum_of<token_level>(level))
    out.jwt.alts_level = *known;
  else
    in.complain("alts_role", "must be read, submit or admin");
  return out;
}

caf::expected<std::string> read_file(const std::string& path) {
  auto in = std::ifstream{path};
  auto out = std::ostringstream{};
  out << in.rdbuf();
  if (!in)
    return fault_at(ec::invalid_config, path, "cannot be read");
  return out.str();
}

caf::expected<jwt_key> read_ed25519(const std::string& path) {
  auto pem = read_file(path);
  if (!pem)
    return std::move(pem.error());
  auto key = parse_ed25519_pem("ed25519", *pem);
  if (!key)
    return fault_at(explain(key.error()).code, path, explain(key.error()).text);
  return key;
}

/// Opens what a start opens, but the node's own secret, which the first start makes.
void check_files(section& in, const token_options& from) {
  if (auto why = from.secret.empty() ? caf::error{} : check_secret(from.secret))
    in.complain("secret", one_line(why));
  if (!from.ed25519_key.empty())
    if (auto key = read_ed25519(from.ed25519_key); !key)
      in.complain("ed25519_key_file", one_line(key.error()));
  if (auto why = revocation_list{from.jwt.revoked_file}.load())
    in.complain("revoked_file", one_line(why));
}

caf::expected<jwt> make_tokens(token_options options, const std::string& folder) {
  if (options.secret.empty() && options.ed25519_key.empty()) {
    auto own = own_token_secret(folder);
    if (!own)
      return std::move(own.error());
    options.secret = std::move(*own);
  }
  if (!options.secret.empty()) {
    mask_in_log(options.secret);
    options.jwt.keys.push_back({"", jwt_algorithm::hs256, std::move(options.secret), {}});
  }
  if (!options.ed25519_key.empty()) {
    auto key = read_ed25519(options.ed25519_key);
    if (!key)
      return std::move(key.error());
    options.jwt.keys.push_back(std::move(*key));
  }
  return jwt::make(std::move(options.jwt));
}

role_lookup lookup_in(const directory& roles) {
  return {[&roles] { return roles.find<job_ledger_actor>("jobs"); },
          [&roles] { return roles.find<job_history_actor>("history"); },
          [&roles] { return roles.find<artifact_store_actor>("artifacts"); },
          [&roles] { return roles.find<journal_actor>("journal"); },
          [&roles] { return roles.find<gate_actor>("nodes"); },
          [&roles] { return roles.find<statistics_actor>("statistics"); },
          [&roles] { return roles.find<amqp_bridge_actor>("amqp"); },
          [&roles] { return roles.find<objects_actor>("objects"); },
          [&roles] { return roles.find<machine_tracker_actor>("machines"); },
          [&roles] { return roles.find<peer_link_actor>("link"); }};
}

write_figures figures_of(const database& of, durability when) {
  auto sum = of.times(when).look();
  auto out = write_figures{when == durability::synced, {}, sum.count, sum.sum_s};
  for (auto i = size_t{0}; i < write_times::limits.size(); ++i)
    out.steps.push_back({write_times::limits[i], sum.at_most[i]});
  return out;
}

/// What `/metrics` tells of the node itself. Looks at the disk: a few microseconds.
node_figures figures_of(const node_context& node) {
  auto out = node_figures{};
  out.version = "0.1.0";
  out.commit = build_commit();
  out.reload_successful = node.reload_successful;
  if (node.store) {
    auto sum = uint64_t{0};
    for (auto i = size_t{0}; i < family_count; ++i)
      sum += node.store->estimated_bytes(static_cast<family>(i), {});
    out.store_bytes = sum;
    for (auto when : {durability::synced, durability::lazy})
      out.writes.push_back(figures_of(*node.store, when));
  }
  struct statvfs disk {};
  if (statvfs(node.options.data.c_str(), &disk) == 0) {
    out.disk_bytes = uint64_t{disk.f_blocks} * disk.f_frsize;
    out.disk_free_bytes = uint64_t{disk.f_bavail} * disk.f_frsize;
  }
  return out;
}

/// The actor that stands for the bridge; the bridge ends with it.
struct http_role_state {
  static inline const char* name = "http";
  std::unique_ptr<http_bridge> bridge;
};

bridge_actor::behavior_type http_role(bridge_actor::stateful_pointer<http_role_state> self,
                                      http_bridge* bridge, std::chrono::milliseconds drain_limit) {
  self->state.bridge.reset(bridge);
  return {
    [self, drain_limit](drain_atom) -> uint32_t {
      self->state.bridge->stop(drain_limit);
      return 0;
    },
  };
}

caf::expected<caf::strong_actor_ptr> start(node_context& node, http_bridge_options options,
                                           const token_options& tokens) {
  options.routes.figures = [&node] { return figures_of(node); };
  auto made = make_tokens(tokens, node.options.data);
  if (!made)
    return std::move(made.error());
  auto keys = std::make_shared<jwt>(std::move(*made));
  auto check = [keys](std::string_view token) -> caf::expected<identity> {
    return keys->verify(token);
  };
  auto bridge = std::make_unique<http_bridge>(*node.sys, lookup_in(node.roles), check, options);
  if (auto err = bridge->start())
    return err;
  auto address = options.server.address + ':' + std::to_string(bridge->port());
  if (auto err = write_whole_file(node.options.data + "/http.address", address + '\n', 0644))
    return err;
  log(log_level::info, "http", "listening", {{"address", address}});
  // What others need to finish comes after it.
  auto drain_limit = std::min(std::chrono::milliseconds{10'000}, node.options.drain_limit / 3);
  // Draining blocks until the last answer is out, hence a thread of its own.
  return started(node.sys->spawn<caf::detached>(http_role, bridge.release(), drain_limit));
}

} // namespace

std::vector<supervised_role> prepare_http(node_context& node, section& in) {
  auto options = http_bridge_options{};
  read_options(in, options);
  options.routes.with_jobs = node.with_jobs;
  auto inner = in.child("tokens");
  auto tokens = read_tokens(inner);
  node.file_checks.push_back([inner, tokens]() mutable { check_files(inner, tokens); });
  auto out = supervised_role{};
  out.role = "http";
  out.drains = true;
  out.start = [&node, options, tokens] { return start(node, options, tokens); };
  return {std::move(out)};
}

} // namespace troupe
