#include "bench/spine_node.hpp"

#include "bridges/http/client.hpp"
#include "messages/json.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/node_token.hpp"
#include "tests/support/temp_folder.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// A `troupe-node` process of this build on a private folder and an ephemeral port.
class measured_node {
public:
  explicit measured_node(const std::string& roles) {
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

  ~measured_node() {
    process.signal(SIGTERM);
    process.wait(60s);
  }

  uint16_t port() const {
    auto in = std::ifstream{data_ + "/http.address"};
    auto address = std::string{};
    std::getline(in, address);
    auto colon = address.rfind(':');
    return colon == std::string::npos ? uint16_t{0}
                                      : static_cast<uint16_t>(std::stoi(address.substr(colon + 1)));
  }

  std::string token() const {
    return tests::node_token(data_);
  }

  http_client client() const {
    auto options = http_client_options{};
    options.port = port();
    options.token = token();
    return http_client{options};
  }

  tests::child_process process{{"/bin/true"}, {}, "/dev/null"};
  double cold_start_ms = 0;

private:
  bool ready() const {
    if (port() == 0)
      return false;
    auto options = http_client_options{};
    options.port = port();
    auto answer = http_client{options}.get("/healthz/ready");
    return answer && answer->status == 200;
  }

  tests::temp_folder folder_;
  std::string data_ = folder_.path() + "/data";
};

constexpr auto spine_roles = "  journal: {}\n  jobs: {}\n  artifacts: {}\n"
                             "  http: {port: 0, max_connections_per_address: 1024}\n";

constexpr auto fake_runner = "  tests:\n    runners:\n"
                             "      fake: {driver: fake, slots: 4, prefetch: 64}\n";

/// A request of 400 bytes, as a build system sends it.
std::string schedule_body() {
  auto body =
    json{{"runner_type", "fake"},
         {"dist_name", "almalinux"},
         {"dist_version", "9.4"},
         {"dist_arch", "x86_64"},
         {"package_name", "bash"},
         {"package_version", "5.1.8-9.el9"},
         {"repositories", {{{"name", "build"}, {"baseurl", "https://repo.example.org/9/"}}}},
         {"callback_href", "/api/v1/tests/1/result/"}};
  body["note"] = std::string(400 - json_text(body).size() - 10, 'x');
  return json_text(body);
}

http_load accept_load(const measured_node& node) {
  auto load = http_load{};
  load.port = node.port();
  load.request = post_request("/tasks/schedule", node.token(), schedule_body());
  return load;
}

uint64_t unfinished(http_client& client) {
  auto answer = client.get("/queues");
  auto document = answer ? parse_json_text(answer->body) : caf::expected<json>{json{}};
  if (!document || !document->contains("queues"))
    return 1;
  auto left = uint64_t{0};
  for (const auto& queue : document->at("queues"))
    left += queue.at("queued").get<uint64_t>() + queue.at("running").get<uint64_t>();
  return left;
}

} // namespace

http_load_result measure_accepts() {
  auto node = measured_node{spine_roles};
  return run_http_load(accept_load(node));
}

double measure_jobs_over_http() {
  auto node = measured_node{std::string{spine_roles} + fake_runner};
  auto load = accept_load(node);
  load.warm_up = 0ms;
  auto start = steady::now();
  auto result = run_http_load(load);
  auto client = node.client();
  while (unfinished(client) > 0)
    std::this_thread::sleep_for(5ms);
  return static_cast<double>(result.answered)
         / std::chrono::duration<double>(steady::now() - start).count();
}

idle_figures measure_idle() {
  auto node = measured_node{std::string{spine_roles} + fake_runner};
  std::this_thread::sleep_for(2s);
  auto before = node.process.cpu_time();
  std::this_thread::sleep_for(5s);
  auto used = node.process.cpu_time() - before;
  return {node.cold_start_ms, node.process.resident_mib(),
          static_cast<double>(used.count()) / 5000 * 100};
}

double measure_queued(size_t jobs) {
  auto node = measured_node{spine_roles};
  auto load = accept_load(node);
  load.warm_up = 0ms;
  load.duration = 20min;
  load.max_requests = jobs;
  auto result = run_http_load(load);
  if (result.answered < jobs)
    throw std::runtime_error{"not all jobs were accepted"};
  return node.process.resident_mib();
}

} // namespace troupe::bench
