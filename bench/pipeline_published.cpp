#include "bench/pipeline_published.hpp"

#include "bench/object_load.hpp"
#include "messages/ids.hpp"
#include "tests/support/broker_client.hpp"
#include "tests/support/child_process.hpp"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace troupe::bench {

namespace {

constexpr auto events_of_object = uint64_t{10};
constexpr auto longest_wait = std::chrono::minutes{10};

std::string publishing(const tests::private_broker& broker, const std::string& queue,
                       const std::string& queue_type) {
  return "  amqp:\n    urls: [\"127.0.0.1:" + std::to_string(broker.port())
         + "\"]\n    exchanges: {ebs: {type: topic, durable: true}}\n    queues:\n      " + queue
         + ": {type: " + queue_type
         + ", durable: true, bindings: {ebs: [\"#\"]}}\n"
           "    publish: {ebs: {topics: [object., job.], rule: ebs}}\n";
}

uint64_t confirmed(caf::actor_system& sys, const directory& roles) {
  auto out = uint64_t{0};
  caf::scoped_actor {
    sys
    } -> request(roles.find<amqp_bridge_actor>("amqp"), std::chrono::seconds{10}, status_atom_v)
      .receive([&](const amqp_status& got) { out = got.counters.confirmed; },
               [](const caf::error&) {});
  return out;
}

} // namespace

double measure_objects_published(const tests::private_broker& broker, const std::string& queue_type,
                                 size_t objects) {
  auto queue = "bench_" + random_token().substr(0, 8);
  auto here = object_node{publishing(broker, queue, queue_type)};
  auto warm = here.warm_up();
  auto& sys = here.actors();
  auto end = std::chrono::steady_clock::now() + longest_wait;
  auto await_confirms = [&](uint64_t count) {
    while (confirmed(sys, here.roles()) < count) {
      if (std::chrono::steady_clock::now() > end)
        throw std::runtime_error{"the broker does not confirm"};
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
  };
  await_confirms(warm * events_of_object);
  auto start = std::chrono::steady_clock::now();
  create_all(sys, here.maker(), objects);
  await_counted(sys, here.roles(), (warm + objects) * 3);
  await_confirms((warm + objects) * events_of_object);
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  // A broker that keeps hundreds of thousands of messages is slower for whoever comes next.
  tests::broker_client{broker.port()}.delete_queue(queue);
  return static_cast<double>(objects) / seconds;
}

double measure_peer(const tests::private_broker& broker, const std::string& queue_type,
                    size_t objects) {
  auto done =
    tests::run_process({"/usr/bin/python3", TROUPE_SOURCE_DIR "/bench/pipeline_peer.py",
                        std::to_string(broker.port()), std::to_string(objects), queue_type},
                       {}, longest_wait);
  if (done.exit_code != 0)
    throw std::runtime_error{"the peer fails (package python3-pika): " + done.output};
  return std::atof(done.output.c_str());
}

} // namespace troupe::bench
