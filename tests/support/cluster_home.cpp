#include "tests/support/cluster_home.hpp"

#include "nodes/cluster/authority/authority.hpp"
#include "tests/support/slurp.hpp"

#include <ctime>
#include <fstream>
#include <stdexcept>

namespace troupe::tests {

namespace {

template <class T>
void must(const caf::expected<T>& made) {
  if (!made)
    throw std::runtime_error{one_line(made.error())};
}

} // namespace

cluster_home::cluster_home(std::vector<std::string> names) : names_{std::move(names)} {
  auto now = static_cast<int64_t>(std::time(nullptr));
  auto authority = folder_.path() + "/ca";
  must(make_authority(authority, 90, now));
  for (const auto& name : names_) {
    auto order = node_certificate_order{};
    order.node = name;
    order.days = 90;
    must(issue_certificate(authority, order, now));
  }
}

std::string cluster_home::listener(const std::string& roles) const {
  auto place = std::string{"  listen: 127.0.0.1:0\n  peers:\n"};
  for (auto i = size_t{1}; i < names_.size(); ++i)
    place += "    " + names_[i] + ": {}\n";
  return config(names_.front(), roles, place);
}

std::string cluster_home::dialer(const std::string& name, const std::string& roles,
                                 uint16_t port) const {
  return config(name, roles,
                "  dial: [\"" + names_.front() + "@127.0.0.1:" + std::to_string(port) + "\"]\n");
}

std::string cluster_home::config(const std::string& name, const std::string& roles,
                                 const std::string& place) const {
  auto own = folder_.path() + "/ca/" + name;
  return "node: {name: " + name + ", log: warning, data: " + data_of(name) + "}\nroles:"
         + (roles.empty() ? " {}\n" : '\n' + roles) + "cluster:\n" + place + "  certificate: " + own
         + "/node.pem\n  key: " + own + "/node.key\n  authority: " + own + "/ca.pem\n";
}

std::string cluster_home::write(const std::string& name, const std::string& config) const {
  auto path = folder_.path() + '/' + name + ".yaml";
  std::ofstream{path} << config;
  return path;
}

child_process cluster_home::launch(const std::string& name, const std::string& config) const {
  return child_process{
    {TROUPE_BINARY_DIR "/nodes/troupe-node", "--config", write(name, config)}, {}, log_of(name)};
}

uint16_t cluster_home::await_port() const {
  auto port = 0;
  auto bound = await(std::chrono::seconds{20}, [&] {
    auto address = slurp(data_of(names_.front()) + "/cluster.address");
    port = address.ends_with('\n') ? std::stoi(address.substr(address.rfind(':') + 1)) : 0;
    return port != 0;
  });
  if (!bound)
    throw std::runtime_error{"no node listens: " + slurp(log_of(names_.front()))};
  return static_cast<uint16_t>(port);
}

} // namespace troupe::tests
