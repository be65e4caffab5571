#include "tests/support/test_cluster.hpp"

#include "nodes/cluster/authority/authority.hpp"
#include "tests/support/slurp.hpp"

#include <catch2/catch.hpp>

#include <ctime>

namespace troupe::tests {

namespace {

std::string runner_name(size_t i) {
  return "runner-" + std::to_string(i + 1);
}

} // namespace

test_cluster::test_cluster(cluster_plan plan) : plan_{std::move(plan)} {
  auto now = static_cast<int64_t>(std::time(nullptr));
  REQUIRE(make_authority(folder_.path() + "/ca", 10, now));
  auto names = std::vector<std::string>{"state-1", "gateway-1"};
  for (auto i = size_t{0}; i < plan_.runners; ++i)
    names.push_back(runner_name(i));
  auto peers = std::string{"\n  peers:"};
  for (const auto& name : names) {
    auto order = node_certificate_order{};
    order.node = name;
    order.days = 10;
    REQUIRE(issue_certificate(folder_.path() + "/ca", order, now));
    if (name != "state-1")
      peers +=
        "\n    " + name + ": {roles: [" + (name == "gateway-1" ? "http, history" : "tests") + "]}";
  }
  state_ = std::make_unique<node_process>(
    "\n  journal: {}\n  jobs: " + plan_.jobs + "\n  artifacts: {}"
      + (plan_.state.empty() ? "" : "\n  " + plan_.state) + "\ncluster:\n  listen: 127.0.0.1:0"
      + identity("state-1") + peers + '\n',
    std::vector<std::string>{}, "state-1");
  gateway_ = agent("gateway-1", "\n  http:\n    port: 0\n    max_connections_per_address: 512"
                                  + (plan_.gateway.empty() ? "" : "\n  " + plan_.gateway));
  for (auto i = size_t{0}; i < plan_.runners; ++i)
    runners_.push_back(
      agent(runner_name(i), "\n  tests:\n    runners:\n      fake:\n        " + plan_.runner));
}

std::string test_cluster::identity(const std::string& name) const {
  auto folder = folder_.path() + "/ca/" + name;
  return "\n  certificate: " + folder + "/node.pem\n  key: " + folder
         + "/node.key\n  authority: " + folder + "/ca.pem\n  " + plan_.limits;
}

std::unique_ptr<node_process> test_cluster::agent(const std::string& name,
                                                  const std::string& roles) {
  wires_.push_back(std::make_unique<tcp_gate>(uint16_t{1}, wires_.size() + 1));
  return std::make_unique<node_process>(roles + "\ncluster:\n  dial: [\"state-1@"
                                          + wires_.back()->address() + "\"]" + identity(name)
                                          + '\n',
                                        std::vector<std::string>{}, name);
}

void test_cluster::start() {
  for (auto& runner : runners_)
    runner->launch();
  gateway_->launch(); // no order is needed: this one is last on purpose
  launch_state();
  if (!await_ready(runners_.size()))
    FAIL("the cluster does not become ready:\n" << logs());
}

void test_cluster::launch_state() {
  auto file = state_->data() + "/cluster.address";
  std::filesystem::remove(file);
  state_->launch();
  auto port = 0;
  auto bound = await(std::chrono::seconds{20}, [&] {
    auto address = slurp(file);
    port = address.ends_with('\n') ? std::atoi(address.c_str() + address.rfind(':') + 1) : 0;
    return port != 0;
  });
  if (!bound)
    FAIL("the state node does not listen:\n" << state_->log());
  for (auto& wire : wires_)
    wire->set_target(static_cast<uint16_t>(port));
}

bool test_cluster::await_ready(size_t count, std::chrono::milliseconds limit) {
  return gateway_->await_ready(limit) && await(limit, [&] {
           auto got = gateway_->get("/runners");
           if (got.status != 200)
             return false;
           auto ready = size_t{0};
           auto document = got.document();
           for (const auto& x : document.at("runners"))
             ready += x.at("live").get<bool>() && x.at("broken").get<std::string>().empty();
           return ready >= count;
         });
}

json test_cluster::node(const std::string& name) {
  auto got = gateway_->get("/nodes");
  if (got.status != 200)
    return {};
  auto document = got.document();
  for (const auto& x : document.at("nodes"))
    if (x.at("node") == name)
      return x;
  return {};
}

std::string test_cluster::state_of(const std::string& node) {
  auto known = this->node(node);
  return known.is_null() ? "" : known.at("state").get<std::string>();
}

std::string test_cluster::logs() const {
  auto out = "state-1:\n" + state_->log() + "\ngateway-1:\n" + gateway_->log();
  for (const auto& runner : runners_)
    out += "\nrunner:\n" + runner->log();
  return out;
}

} // namespace troupe::tests
