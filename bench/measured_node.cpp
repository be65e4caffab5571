#include "bench/measured_node.hpp"

#include "tests/support/node_token.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace troupe::bench {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

measured_node::measured_node(const std::string& roles, std::string data)
  : data_{data.empty() ? folder_.path() + "/data" : std::move(data)} {
  auto config = folder_.path() + "/node.yaml";
  std::ofstream{config} << "node: {log: error, data: " << data_ << "}\nroles:\n" << roles;
  auto start = steady::now();
  process = tests::child_process{
    {TROUPE_BINARY_DIR "/nodes/troupe-node", "--config", config}, {}, folder_.path() + "/log"};
  while (!ready()) {
    if (steady::now() - start > 30s)
      throw std::runtime_error{"the node does not become ready"};
    std::this_thread::sleep_for(1ms);
  }
  cold_start_ms = std::chrono::duration<double, std::milli>(steady::now() - start).count();
}

measured_node::~measured_node() {
  process.signal(SIGTERM);
  process.wait(60s);
}

uint16_t measured_node::port() const {
  auto in = std::ifstream{data_ + "/http.address"};
  auto address = std::string{};
  std::getline(in, address);
  auto colon = address.rfind(':');
  return colon == std::string::npos ? uint16_t{0}
                                    : static_cast<uint16_t>(std::stoi(address.substr(colon + 1)));
}

std::string measured_node::token() const {
  return tests::node_token(data_);
}

http_client measured_node::client() const {
  auto options = http_client_options{};
  options.port = port();
  options.token = token();
  return http_client{options};
}

bool measured_node::ready() const {
  if (port() == 0)
    return false;
  auto options = http_client_options{};
  options.port = port();
  auto answer = http_client{options}.get("/healthz/ready");
  return answer && answer->status == 200;
}

} // namespace troupe::bench
