#include "actors/journal/embedded_backend.hpp"
#include "actors/journal/journal.hpp"
#include "bench/figure.hpp"
#include "bench/raw_amqp.hpp"
#include "bridges/amqp/amqp_bridge.hpp"
#include "config/log.hpp"
#include "messages/time.hpp"
#include "tests/support/broker_client.hpp"
#include "tests/support/private_broker.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <cstdio>
#include <cstdlib>
#include <thread>

/// From a queue into the durable journal, and from the journal to a confirmed message, beside
/// programs that use rabbitmq-c alone.
namespace troupe::bench {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

[[noreturn]] void fail(const caf::error& why) {
  std::fprintf(stderr, "amqp_bench: %s\n", one_line(why).c_str());
  std::exit(1);
}

struct bench_config : caf::actor_system_config {
  bench_config() {
    add_message_types<caf::id_block::troupe_atoms>();
    add_message_types<caf::id_block::troupe>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2);
    set("scheduler.max-throughput", 50);
  }
};

/// A journal on disk, and bridges that come and go.
struct world {
  world() {
    auto guard = disk_guard::watch(folder.path());
    if (!guard)
      fail(guard.error());
    auto options = database_options{};
    options.guard = *guard;
    auto db = database::open(folder.path() + "/store", options);
    if (!db)
      fail(db.error());
    auto backend = embedded_backend::open(*db);
    if (!backend)
      fail(backend.error());
    journal = spawn_journal(sys, *backend);
  }
  ~world() {
    caf::anon_send_exit(journal, caf::exit_reason::user_shutdown);
  }

  /// Runs a bridge until a count of its status has reached `n`; returns how many a second.
  double measure(const std::string& yaml, int n, uint64_t amqp_counters::*count) {
    auto in = section::from_text(yaml, "bench");
    if (!in)
      fail(in.error());
    auto options = read_amqp_options(*in, "bench");
    if (auto why = in->done())
      fail(why);
    auto roles = amqp_roles{};
    roles.journal = [this] { return journal; };
    auto start = steady::now();
    auto bridge = sys.spawn<caf::detached>(amqp_bridge, roles, options);
    for (auto reached = uint64_t{0}; reached < static_cast<uint64_t>(n);) {
      std::this_thread::sleep_for(10ms);
      caf::scoped_actor {
        sys
        } -> request(bridge, 60s, status_atom_v)
          .receive([&](const amqp_status& x) { reached = x.counters.*count; }, fail);
    }
    auto out = n / std::chrono::duration<double>(steady::now() - start).count();
    auto self = caf::scoped_actor{sys};
    self->request(bridge, 60s, drain_atom_v).receive([](uint32_t) {}, fail);
    self->send_exit(bridge, caf::exit_reason::user_shutdown);
    self->wait_for(bridge);
    return out;
  }

  void fill(int n, const std::string& body) {
    auto self = caf::scoped_actor{sys};
    for (auto left = n; left > 0;) {
      auto what = append_events{};
      for (auto i = 0; i < 1'000 && left > 0; ++i, --left) {
        auto x = external_event{};
        x.body = body;
        what.groups.emplace_back().events.push_back({"external.out", now(), pack(x)});
      }
      self->request(journal, 60s, what).receive([](const append_results&) {}, fail);
    }
  }

  tests::temp_folder folder;
  bench_config config;
  caf::actor_system sys{config};
  journal_actor journal;
};

std::string message() {
  auto out = std::string{"{\"type\":\"END_PROCESSING\",\"text\":\""};
  return out + std::string(300 - out.size() - 2, 'x') + "\"}";
}

struct figures {
  std::vector<double> ours;
  peer bare{"rabbitmq-c", {}};
};

void ingest(uint16_t port, const std::string& type, int n, figures& out) {
  auto queue = "bench_" + type;
  auto client = tests::broker_client{port};
  client.declare_queue(queue, true, type);
  publish_bare(port, {}, queue, n, message());
  out.bare.values.push_back(consume_bare(port, queue, n));
  publish_bare(port, {}, queue, n, message());
  auto w = world{};
  out.ours.push_back(w.measure("urls: [\"127.0.0.1:" + std::to_string(port) + "\"]\nqueues: {"
                                 + queue + ": {type: " + type + "}}\nconsume: {" + queue
                                 + ": {handler: event, prefetch: 1000}}\n",
                               n, &amqp_counters::stored));
  client.delete_queue(queue);
}

void publish(uint16_t port, int n, figures& out) {
  auto client = tests::broker_client{port};
  client.declare_exchange("bench");
  client.declare_queue("bench_out");
  client.bind("bench_out", "bench", "#");
  out.bare.values.push_back(publish_bare(port, "bench", "external.out", n, message()));
  client.delete_queue("bench_out");
  auto w = world{};
  w.fill(n, message());
  out.ours.push_back(
    w.measure("urls: [\"127.0.0.1:" + std::to_string(port)
                + "\"]\nexchanges: {bench: {}}\nqueues: {bench_out: {bindings: {bench: [\"#\"]}}}\n"
                  "publish: {all: {topics: [external.], exchange: bench}}\n",
              n, &amqp_counters::confirmed));
  client.delete_queue("bench_out");
}

} // namespace

} // namespace troupe::bench

int main(int argc, char** argv) {
  using namespace troupe::bench;
  troupe::set_log("bench", troupe::log_level::error);
  auto quick = is_quick(argc, argv);
  auto runs = quick ? 1 : 5;
  auto n = quick ? 50'000 : 150'000;
  auto broker = troupe::tests::private_broker{};
  auto classic = figures{};
  auto quorum = figures{};
  auto published = figures{};
  auto wanted = figure_choice{argc, argv};
  for (auto i = 0; i < runs; ++i) {
    if (wanted.has("amqp_ingest_per_s"))
      ingest(broker.port(), "classic", n, classic);
    if (wanted.has("amqp_ingest_quorum_per_s"))
      ingest(broker.port(), "quorum", n, quorum);
    if (wanted.has("amqp_publish_per_s"))
      publish(broker.port(), n, published);
  }
  print_figure("amqp_ingest_per_s", "1/s", classic.ours, classic.bare);
  print_figure("amqp_ingest_quorum_per_s", "1/s", quorum.ours, quorum.bare);
  print_figure("amqp_publish_per_s", "1/s", published.ours, published.bare);
  return 0;
}
