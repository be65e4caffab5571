#include "actors/artifacts/artifact_store.hpp"
#include "actors/run_pool.hpp"
#include "messages/test.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <atomic>

using namespace troupe;
using namespace std::chrono_literals;

namespace troupe {
runner_factory make_fake_runner;
}

namespace {

struct system_config : caf::actor_system_config {
  system_config() {
    add_message_types<caf::id_block::troupe_atoms>();
    add_message_types<caf::id_block::troupe>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{2});
  }
};

/// Throws where it may not.
struct throwing_driver : runner_driver {
  caf::error check() override {
    if (check_throws)
      throw std::runtime_error{"no such engine"};
    return {};
  }
  run_outcome run(const run_order&, run_sink&, std::stop_token) override {
    throw 42;
  }
  void sweep(const std::vector<run_key>&) override {
    if (sweep_throws)
      throw std::runtime_error{"cannot list"};
  }
  std::atomic<bool> check_throws = true;
  std::atomic<bool> sweep_throws = true;
};

/// The real store, but so many closes fail first.
artifact_store_actor::behavior_type faulty_store(artifact_store_actor::stateful_pointer<int> self,
                                                 artifact_store_actor real, int faults) {
  self->state = faults;
  return {
    [=](const write_artifact& x) { return self->delegate(real, x); },
    [=](const close_artifact& x) -> caf::result<artifact_ref> {
      if (self->state-- > 0)
        return fault(ec::unavailable, "not now");
      return self->delegate(real, x);
    },
    [=](const read_artifact& x) { return self->delegate(real, x); },
    [=](const list_artifacts& x) { return self->delegate(real, x); },
  };
}

/// Takes nothing: its disk is full, or it never answers.
artifact_store_actor::behavior_type
unwilling_store(artifact_store_actor::stateful_pointer<std::vector<caf::response_promise>> self,
                bool is_full) {
  auto refuse = [=](auto promise) {
    if (is_full)
      promise.deliver(fault(ec::disk_full, "no room"));
    else
      self->state.push_back(promise);
    return promise;
  };
  return {
    [=](const write_artifact&) { return refuse(self->make_response_promise<uint64_t>()); },
    [=](const close_artifact&) { return refuse(self->make_response_promise<artifact_ref>()); },
    [=](const read_artifact&) { return refuse(self->make_response_promise<artifact_chunk>()); },
    [=](const list_artifacts&) { return refuse(self->make_response_promise<artifact_list>()); },
  };
}

/// A pool with the fake driver and a real artifact store.
struct one_pool {
  system_config config;
  tests::temp_folder folder;
  directory roles;
  caf::actor_system sys{config};
  artifact_store_actor store;
  std::unique_ptr<run_pool> pool;
  run_news all;
  std::atomic<int> told = 0;

  one_pool() {
    auto options = artifact_store_options{};
    options.folder = folder.path();
    store = sys.spawn<caf::detached>(artifact_store, options);
    roles.assign("artifacts", caf::actor_cast<caf::strong_actor_ptr>(store));
    start(60s);
  }
  ~one_pool() {
    pool.reset();
    roles.assign("artifacts", nullptr);
    caf::anon_send_exit(std::exchange(store, {}), caf::exit_reason::user_shutdown);
  }

  void start(std::chrono::milliseconds patience) {
    auto none = section{};
    auto driver = make_fake_runner(none, {});
    REQUIRE(driver);
    auto options = store_writer_options{};
    options.patience = patience;
    options.request_timeout = std::min(options.request_timeout, 6 * patience);
    options.last_words = std::min(options.last_words, 6 * patience);
    pool = std::make_unique<run_pool>(
      *driver, 2, std::make_shared<store_writer>(sys, &roles, options), [this] { ++told; });
  }

  static run_order order_of(std::vector<test_variable> script) {
    auto spec = test_spec{};
    spec.variables = std::move(script);
    auto out = run_order{};
    out.job = new_job_id();
    out.kind = "test";
    out.spec = pack(spec);
    out.deadline = 5min;
    return out;
  }

  void collect() {
    auto news = pool->take();
    std::move(news.stages.begin(), news.stages.end(), std::back_inserter(all.stages));
    std::move(news.finished.begin(), news.finished.end(), std::back_inserter(all.finished));
    if (news.check)
      all.check = news.check;
  }
  bool await_finished(size_t n) {
    return tests::await(30s, [&] {
      collect();
      return all.finished.size() >= n;
    });
  }

  std::string content(const job_id& job, const std::string& name, bool& complete) {
    auto out = std::string{};
    auto self = caf::scoped_actor{sys};
    self->request(store, 20s, read_artifact{{job, 0, name}, 0, 1 << 20, 10s})
      .receive(
        [&](artifact_chunk& x) {
          out = std::move(x.bytes);
          complete = x.complete;
        },
        [&](caf::error& why) { out = one_line(why); });
    return out;
  }
};

} // namespace

TEST_CASE_METHOD(one_pool, "a log is durable and masked when the run is reported",
                 "[integration][run_pool]") {
  auto order = order_of({{"FAKE_STAGES", "one,two", false},
                         {"FAKE_OUTPUT", "the key is hunter22\n", false},
                         {"KEY", "hunter22", true}});
  pool->start({order});
  REQUIRE(await_finished(1));
  const auto& report = all.finished[0];
  CHECK(report.result == verdict::pass);
  REQUIRE(report.stages.size() == 2);
  CHECK(all.stages.size() == 4);
  REQUIRE(report.stages[0].log);
  CHECK(report.stages[0].log->name == "one.log");
  auto complete = false;
  CHECK(content(order.job, "one.log", complete) == "the key is [masked]\n");
  CHECK(complete);
  CHECK(report.stages[0].started_at <= report.stages[0].finished_at);
}

TEST_CASE_METHOD(one_pool, "a follower sees a line before its stage has ended",
                 "[integration][run_pool]") {
  auto order = order_of({{"FAKE_OUTPUT", "working on it\n", false}, {"FAKE_RUN_FOR", "5m", false}});
  pool->start({order});
  auto complete = true;
  CHECK(content(order.job, "fake.log", complete) == "working on it\n");
  CHECK_FALSE(complete);
  pool->stop({{order.job, 0}}, reason::canceled);
  REQUIRE(await_finished(1));
  CHECK(all.finished[0].why == reason::canceled);
  CHECK(all.finished[0].result == verdict::canceled);
}

TEST_CASE_METHOD(one_pool, "a canceled run keeps the reference to its log",
                 "[integration][run_pool]") {
  auto faulty = sys.spawn(faulty_store, store, 2);
  roles.assign("artifacts", caf::actor_cast<caf::strong_actor_ptr>(faulty));
  auto order = order_of({{"FAKE_OUTPUT", "last words\n", false}, {"FAKE_RUN_FOR", "5m", false}});
  pool->start({order});
  auto complete = true;
  CHECK(content(order.job, "fake.log", complete) == "last words\n");
  pool->stop({{order.job, 0}}, reason::canceled);
  REQUIRE(await_finished(1));
  const auto& report = all.finished[0];
  CHECK(report.why == reason::canceled);
  REQUIRE(report.stages.size() == 1);
  REQUIRE(report.stages[0].log);
  CHECK(report.stages[0].log->length == 11);
  caf::anon_send_exit(faulty, caf::exit_reason::user_shutdown);
}

TEST_CASE_METHOD(one_pool, "a run without output leaves nothing in the store",
                 "[integration][run_pool]") {
  auto order = order_of({{"FAKE_STAGES", "one", false}});
  pool->start({order});
  REQUIRE(await_finished(1));
  CHECK_FALSE(all.finished[0].stages[0].log);
  auto self = caf::scoped_actor{sys};
  self->request(store, 20s, list_artifacts{order.job, 0})
    .receive([](artifact_list& x) { CHECK(x.artifacts.empty()); },
             [](caf::error& why) { FAIL(one_line(why)); });
}

TEST_CASE_METHOD(one_pool, "a verdict whose log cannot be stored is an infrastructure error",
                 "[integration][run_pool]") {
  start(50ms);
  auto full = sys.spawn(unwilling_store, true);
  roles.assign("artifacts", caf::actor_cast<caf::strong_actor_ptr>(full));
  pool->start({order_of({{"FAKE_OUTPUT", "lost\n", false}})});
  REQUIRE(await_finished(1));
  caf::anon_send_exit(full, caf::exit_reason::user_shutdown);
  CHECK(all.finished[0].why == reason::exec_infra);
  CHECK(all.finished[0].note.find("log could not be stored") != std::string::npos);
}

TEST_CASE("a recorder does not wait for a lost store again with each file",
          "[integration][run_pool]") {
  /// Takes nothing, and counts how often it was asked.
  struct lost_store : artifact_writer {
    caf::expected<uint64_t> write(const write_artifact&, std::stop_token) override {
      ++asked;
      return fault(ec::unavailable, "gone");
    }
    caf::expected<artifact_ref> close(const close_artifact&, std::stop_token) override {
      ++asked;
      return fault(ec::unavailable, "gone");
    }
    int asked = 0;
  };
  auto store = std::make_shared<lost_store>();
  auto recorder = std::make_shared<run_recorder>(
    run_key{new_job_id(), 0}, store, std::make_shared<log_flusher>(1s), [](stage_report) {},
    std::stop_token{});
  for (auto i = 0; i < 5; ++i)
    recorder->artifact("file" + std::to_string(i), "bytes");
  CHECK(store->asked == 1);
  auto report = recorder->finish({verdict::pass, reason::none, {}});
  CHECK(report.why == reason::exec_infra);
}

TEST_CASE_METHOD(one_pool, "output waits for a store that is away for a while",
                 "[integration][run_pool]") {
  auto handle = roles.find<caf::actor>("artifacts");
  roles.assign("artifacts", nullptr);
  auto order = order_of({{"FAKE_OUTPUT", "kept\n", false}});
  pool->start({order});
  REQUIRE(tests::await(20s, [&] {
    collect();
    return !all.stages.empty();
  }));
  CHECK(all.finished.empty());
  roles.assign("artifacts", caf::actor_cast<caf::strong_actor_ptr>(handle));
  REQUIRE(await_finished(1));
  CHECK(all.finished[0].result == verdict::pass);
  auto complete = false;
  CHECK(content(order.job, "fake.log", complete) == "kept\n");
}

TEST_CASE_METHOD(one_pool, "a good result outlives a store that is away for longer than patience",
                 "[integration][run_pool]") {
  start(50ms);
  auto silent = sys.spawn(unwilling_store, false);
  auto dead = sys.spawn(unwilling_store, false);
  caf::anon_send_exit(dead, caf::exit_reason::user_shutdown);
  auto absent = artifact_store_actor{};
  auto order = order_of({{"FAKE_OUTPUT", "kept\n", false}});
  for (auto* away : {&silent, &dead, &absent}) {
    roles.assign("artifacts", caf::actor_cast<caf::strong_actor_ptr>(*away));
    if (away == &silent)
      pool->start({order});
    std::this_thread::sleep_for(700ms);
    collect();
  }
  CHECK(all.finished.empty());
  roles.assign("artifacts", caf::actor_cast<caf::strong_actor_ptr>(store));
  REQUIRE(await_finished(1));
  caf::anon_send_exit(silent, caf::exit_reason::user_shutdown);
  CHECK(all.finished[0].result == verdict::pass);
  auto complete = false;
  CHECK(content(order.job, "fake.log", complete) == "kept\n");
  CHECK(complete);
}

TEST_CASE_METHOD(one_pool, "a stopped run does not wait for an absent store",
                 "[integration][run_pool]") {
  start(50ms);
  roles.assign("artifacts", nullptr);
  auto order = order_of({{"FAKE_OUTPUT", "lost\n", false}, {"FAKE_RUN_FOR", "5m", false}});
  pool->start({order});
  REQUIRE(tests::await(20s, [&] {
    collect();
    return !all.stages.empty();
  }));
  pool->stop({{order.job, 0}}, reason::canceled);
  REQUIRE(await_finished(1));
  CHECK(all.finished[0].why == reason::canceled);
}

TEST_CASE_METHOD(one_pool,
                 "runs that wait are handed back, those that run are stopped with a reason",
                 "[integration][run_pool]") {
  auto orders = std::vector<run_order>{};
  for (auto i = 0; i < 4; ++i)
    orders.push_back(order_of({{"FAKE_RUN_FOR", "5m", false}, {"FAKE_STAGES", "one", false}}));
  pool->start(orders);
  REQUIRE(tests::await(20s, [&] {
    collect();
    return all.stages.size() == 2;
  }));
  pool->stop_waiting(reason::worker_shutdown);
  REQUIRE(await_finished(2));
  auto keys = std::vector<run_key>{};
  for (const auto& order : orders)
    keys.push_back({order.job, 0});
  pool->stop(keys, reason::worker_shutdown);
  REQUIRE(await_finished(4));
  CHECK(all.finished.size() == 4);
  for (const auto& report : all.finished) {
    CHECK(report.why == reason::worker_shutdown);
    CHECK(report.result == verdict::error);
  }
}

TEST_CASE_METHOD(one_pool, "ending the pool stops its runs", "[integration][run_pool]") {
  pool->start({order_of({{"FAKE_RUN_FOR", "5m", false}})});
  pool.reset();
  SUCCEED("the threads were joined");
}

TEST_CASE_METHOD(one_pool, "ten thousand runs are told of in few batches",
                 "[integration][run_pool]") {
  auto orders = std::vector<run_order>(10'000, order_of({}));
  for (auto i = uint32_t{0}; i < orders.size(); ++i)
    orders[i].run_id = i;
  pool->start(orders);
  REQUIRE(await_finished(orders.size()));
  CHECK(all.finished.size() == orders.size());
  CHECK(static_cast<size_t>(told) < orders.size());
}

TEST_CASE_METHOD(one_pool, "a driver that throws is broken, ends no thread and holds up no run",
                 "[integration][run_pool]") {
  auto driver = std::make_shared<throwing_driver>();
  pool = std::make_unique<run_pool>(driver, 1, std::make_shared<store_writer>(sys, &roles),
                                    [this] { ++told; });
  auto next_check = [&] {
    all.check.reset();
    pool->check();
    REQUIRE(tests::await(30s, [&] {
      collect();
      return all.check.has_value();
    }));
    return *all.check ? one_line(*all.check) : std::string{};
  };
  CHECK(next_check().find("no such engine") != std::string::npos);
  driver->check_throws = false;
  pool->sweep({});
  CHECK(next_check().find("cannot list") != std::string::npos);
  driver->sweep_throws = false;
  pool->sweep({});
  CHECK(next_check().empty());
  pool->start({order_of({})});
  REQUIRE(await_finished(1));
  CHECK(all.finished[0].why == reason::internal_error);
}
