#include "tests/support/network_node.hpp"

#include "nodes/cluster/wire_types.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <cstdlib>

namespace troupe::tests {

namespace {

/// The second argument is there because CAF 0.17 reads a null pointer without one.
echo_actor::behavior_type echo(echo_actor::pointer self, bool) {
  self->set_default_handler(caf::drop);
  return {
    [](const std::string& text) -> caf::result<std::string> {
      if (text == "fail")
        return fault_at(ec::conflict, "field", "as asked");
      return text;
    },
    [](const write_artifact& x) { return static_cast<uint64_t>(x.bytes.size()); },
    [](caf::put_atom, const std::string&) {},
  };
}

} // namespace

network_node::network_config::network_config() {
  add_message_types<caf::id_block::troupe_atoms>();
  add_message_types<caf::id_block::troupe>();
  add_error_category(caf::atom("troupe"), [](uint8_t code, caf::atom_value, const caf::message&) {
    return to_string(static_cast<ec>(code));
  });
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", size_t{2});
  set("scheduler.max-throughput", size_t{50});
  load_cluster_network(*this);
}

network_node::network_node(const tls_files& files, peer_policy policy, transport_options options)
  : sys_{std::make_unique<caf::actor_system>(config_)} {
  auto identity = tls_context::make(files);
  if (!identity)
    throw std::runtime_error{one_line(identity.error())};
  identity_ = *identity;
  // What the test actors say besides.
  if (options.frames.orders.empty())
    options.frames.orders = wire_orders();
  options.frames.orders["+@atom+@str"].insert(caf::put_atom::uint_value());
  auto net = transport::make(*sys_, identity_, std::move(policy), std::move(options));
  if (!net)
    throw std::runtime_error{one_line(net.error())};
  net_ = *net;
  echo_ = sys_->spawn(echo, true);
  auto port = net_->listen("127.0.0.1", 0, echo_);
  if (!port)
    throw std::runtime_error{one_line(port.error())};
  port_ = *port;
  dialer_ = net_->make_dialer<echo_actor>();
}

network_node::~network_node() {
  caf::anon_send_exit(echo_, caf::exit_reason::user_shutdown);
  echo_ = nullptr;
  dialer_ = nullptr;
  net_.reset();
  sys_.reset();
}

caf::expected<echo_actor> network_node::join(const std::string& node, uint16_t port,
                                             const std::string& host) {
  auto out = caf::expected<echo_actor>{caf::make_error(ec::timeout)};
  caf::scoped_actor {
    *sys_
    } -> request(dialer_, std::chrono::seconds{10}, caf::connect_atom_v, node, host, port)
      .receive([&](caf::strong_actor_ptr& who) { out = caf::actor_cast<echo_actor>(who); },
               [&](caf::error& why) { out = std::move(why); });
  return out;
}

std::string network_node::ask(const echo_actor& whom, const std::string& text) {
  auto out = std::string{};
  caf::scoped_actor {
    *sys_
    } -> request(whom, std::chrono::seconds{2}, text)
      .receive([&](std::string& answer) { out = std::move(answer); },
               [&](caf::error& why) { out = "error: " + one_line(why); });
  return out;
}

peer_policy any_key_of(std::initializer_list<std::string> names) {
  auto out = peer_policy{};
  for (const auto& name : names)
    out.peers[name];
  return out;
}

} // namespace troupe::tests
