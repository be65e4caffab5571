#include "actors/journal/embedded_backend.hpp"
#include "actors/journal/journal.hpp"
#include "bench/figure.hpp"
#include "bench/raw_store.hpp"
#include "messages/protocols.hpp"
#include "messages/time.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>

/// Durable appends and reads through the journal actor, beside a bare RocksDB.
namespace troupe::bench {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto appenders = 256;
constexpr auto payload_bytes = 300;

struct bench_config : caf::actor_system_config {
  bench_config() {
    add_message_types<caf::id_block::troupe_atoms>();
    add_message_types<caf::id_block::troupe>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2);
    set("scheduler.max-throughput", 50);
  }
};

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

[[noreturn]] void fail(const caf::error& why) {
  std::fprintf(stderr, "journal_bench: %s\n", one_line(why).c_str());
  std::exit(1);
}

/// What all appenders share.
struct load {
  journal_actor to;
  std::atomic<int64_t> left = 0;
  std::atomic<int> running = 0;
  std::promise<void> done;
};

struct appender_state {
  uint64_t sent = 0;
};

/// Sends the next append when the last one is durable.
void append_next(caf::stateful_actor<appender_state>* self, load* shared, int number) {
  if (--shared->left < 0) {
    if (--shared->running == 0)
      shared->done.set_value();
    self->quit();
    return;
  }
  // As long as a real id: a request's key or a job's UUID with its step.
  auto id =
    "0197a1b2-c3d4-7" + std::to_string(number * 1'000'000'007ULL + self->state.sent) + "/queued";
  ++self->state.sent;
  auto what = append_events{
    {}, 0, {{std::move(id), 1, {}, {{"job.queued", now(), std::string(payload_bytes, 'p')}}}}};
  self->request(shared->to, 2s, std::move(what))
    .then(
      [=](append_results& results) {
        if (results.results.front().outcome != append_outcome::stored)
          fail(fault(ec::unspecified, "an append was not stored"));
        append_next(self, shared, number);
      },
      fail);
}

caf::behavior appender(caf::stateful_actor<appender_state>* self, load* shared, int number) {
  append_next(self, shared, number);
  return {[](int) {}};
}

/// Appends `n` events from all appenders; returns appends per second.
double measure_appends(caf::actor_system& sys, const journal_actor& to, int64_t n) {
  auto shared = load{};
  shared.to = to;
  shared.left = n;
  shared.running = appenders;
  auto start = steady::now();
  for (auto i = 0; i < appenders; ++i)
    sys.spawn(appender, &shared, static_cast<int>(i));
  shared.done.get_future().wait();
  return static_cast<double>(n) / seconds_since(start);
}

/// Reads the journal from its first event to its end; returns events per second.
double measure_reads(caf::actor_system& sys, const journal_actor& from, uint64_t n) {
  auto self = caf::scoped_actor{sys};
  auto read = uint64_t{0};
  auto start = steady::now();
  while (read < n) {
    auto what = read_events{read + 1, 4096, 4 << 20, caf::timespan{0}};
    self->request(from, 5s, what)
      .receive([&](const event_batch& batch) { read += batch.events.size(); }, fail);
  }
  return static_cast<double>(n) / seconds_since(start);
}

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
    it = spawn_journal(sys, *backend);
  }
  ~world() {
    caf::anon_send_exit(it, caf::exit_reason::user_shutdown);
  }
  tests::temp_folder folder;
  bench_config config;
  caf::actor_system sys{config};
  journal_actor it;
};

} // namespace

} // namespace troupe::bench

int main(int argc, char** argv) {
  using namespace troupe::bench;
  auto quick = is_quick(argc, argv);
  auto runs = quick ? 1 : 5;
  auto n = quick ? 50'000 : 400'000;
  auto appends = std::vector<double>{};
  auto reads = std::vector<double>{};
  auto bare_writes = peer{"rocksdb, batches of 256", {}};
  auto bare_reads = peer{"rocksdb, one iterator", {}};
  for (auto i = 0; i < runs; ++i) {
    auto bare = measure_raw_store(n, appenders, payload_bytes);
    bare_writes.values.push_back(bare.writes_per_s);
    bare_reads.values.push_back(bare.reads_per_s);
    auto ours = world{};
    appends.push_back(measure_appends(ours.sys, ours.it, n));
    reads.push_back(measure_reads(ours.sys, ours.it, static_cast<uint64_t>(n)));
  }
  print_figure("journal_appends_per_s", "1/s", appends, bare_writes);
  print_figure("journal_reads_per_s", "1/s", reads, bare_reads);
  return 0;
}
