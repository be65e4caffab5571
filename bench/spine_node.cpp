#include "bench/spine_node.hpp"

#include "bench/measured_node.hpp"
#include "messages/json.hpp"

#include <stdexcept>
#include <thread>

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

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
