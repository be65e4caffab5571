#include "tests/actors/journal_world.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct world : tests::journal_world<tests::memory_world> {
  /// Those who still wait are answered, and write into the lists below.
  ~world() {
    stop();
  }
  /// Asks with an actor of its own; what comes back is kept in the lists below.
  template <class Reply, class Message>
  void ask_later(Message what) {
    auto asker = [this, to = it](caf::event_based_actor* self, const Message& question) {
      auto take = [this](const Reply& x) {
        if constexpr (std::is_same_v<Reply, event_batch>)
          batches.push_back(x);
        else
          ++others;
      };
      self->request(to, 60s, question).then(take, [this](caf::error& why) {
        errors.push_back(std::move(why));
      });
    };
    sys.spawn(asker, std::move(what));
  }
  void pass_a_minute() {
    sched.advance_time(61s);
    sched.run();
  }
  memory_backend& memory() {
    return dynamic_cast<memory_backend&>(*this->journal_world::world.backend);
  }

  std::vector<event_batch> batches;
  std::vector<caf::error> errors;
  int others = 0;
};

/// Each look at it brings the journal a message, so that its mailbox is never empty.
class chatty_backend : public memory_backend {
public:
  static constexpr auto most = 300'000;

  journal_head head() const override {
    if (journal && talked < most) {
      ++talked;
      caf::anon_send(journal, status_atom_v);
    }
    return memory_backend::head();
  }
  caf::error commit(journal_commit& what) override {
    talked_at_commit = talked;
    return memory_backend::commit(what);
  }

  journal_actor journal;
  mutable int talked = 0;
  int talked_at_commit = 0;
};

} // namespace

TEST_CASE_METHOD(world, "a waiting read is answered when its event is durable", "[journal]") {
  ask_later<event_batch>(read_events{1, 10, 1 << 20, 20s});
  sched.run();
  CHECK(batches.empty());
  append_one(group("a", "one"));
  sched.run();
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].events.size() == 1);
  CHECK(batches[0].next == 2);
}

TEST_CASE_METHOD(world, "a waiting read is answered empty when its time is up", "[journal]") {
  ask_later<event_batch>(read_events{1, 10, 1 << 20, 20s});
  sched.run();
  sched.advance_time(19s);
  sched.run();
  CHECK(batches.empty());
  sched.advance_time(2s);
  sched.run();
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].events.empty());
  CHECK(batches[0].at_end);
  CHECK(batches[0].next == 1);
}

TEST_CASE_METHOD(world, "a follower of an idle journal adds no timers", "[journal]") {
  const auto& pending = sched.clock().schedule();
  auto most = size_t{0};
  for (auto i = 0; i < 120 && most < 100; ++i) { // as the history: read, be answered, read on
    ask_later<event_batch>(read_events{1, 10, 1 << 20, 25s});
    sched.run();
    for (auto left = 25; left > 0; --left) {
      sched.advance_time(1s);
      sched.run();
    }
    most = std::max(most, pending.size());
  }
  CHECK(batches.size() == 120);
  CHECK(most < 10);
}

TEST_CASE_METHOD(world, "the number of waiting reads is bounded", "[journal]") {
  options.waiting_reads = 2;
  restart();
  for (auto i = 0; i < 3; ++i)
    ask_later<event_batch>(read_events{1, 10, 1 << 20, 20s});
  sched.run();
  REQUIRE(errors.size() == 1);
  CHECK(errors[0] == ec::saturated);
}

TEST_CASE_METHOD(world, "a journal that stops answers those who wait", "[journal]") {
  ask_later<event_batch>(read_events{1, 10, 1 << 20, 20s});
  sched.run();
  stop();
  REQUIRE(errors.size() == 1);
  CHECK(errors[0] == ec::unavailable);
}

TEST_CASE_METHOD(world, "a failed commit ends the journal and acknowledges nothing", "[journal]") {
  memory().fail_commits(fault(ec::unavailable, "I/O error"));
  ask_later<append_results>(append_events{{}, 0, {group("a", "one")}});
  ask_later<append_results>(append_events{{}, 0, {group("b", "two")}});
  ask_later<event_batch>(read_events{1, 10, 1 << 20, 20s});
  sched.run();
  CHECK(others == 0);
  REQUIRE(errors.size() == 3);
  CHECK(errors[0] == ec::unavailable);
  auto late = append({{}, 0, {group("c", "three")}});
  CHECK_FALSE(late);
}

TEST_CASE_METHOD(world, "without disk space appends are refused and reads go on", "[journal]") {
  append_one(group("a", "one"));
  memory().fail_commits(fault(ec::disk_full, "full"));
  auto refused = append({{}, 0, {group("b", "two")}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == ec::disk_full);
  CHECK(retryable(refused.error()));
  CHECK_FALSE(status().accepting);
  CHECK(payloads() == std::vector<std::string>{"one"});
  memory().fail_commits({});
  CHECK(append_one(group("b", "two")) == append_outcome::stored);
  CHECK(status().accepting);
}

TEST_CASE_METHOD(world, "an epoch is stored even if its first commit was refused", "[journal]") {
  // The journal looks at `accepting` first; the refusal comes between that and the commit.
  auto pending = group_commit{options.limits, {}};
  auto what = append_events{"jobs", 3, {group({}, "x")}};
  REQUIRE_FALSE(pending.add(what));
  memory().fail_commits(fault(ec::disk_full, "full"));
  CHECK_FALSE(pending.commit(memory(), caf::timestamp{}));
  memory().fail_commits({});
  auto again = append_events{"jobs", 3, {group({}, "x")}};
  REQUIRE_FALSE(pending.add(again));
  REQUIRE(pending.commit(memory(), caf::timestamp{}));
  CHECK(memory().epochs()->at("jobs") == 3);
}

TEST_CASE_METHOD(world, "appends that break a limit are refused with their place", "[journal]") {
  auto refused = [&](append_group x) {
    auto results = append({{}, 0, {std::move(x)}});
    return results ? caf::error{} : results.error();
  };
  auto long_id = group(std::string(257, 'i'), "x");
  CHECK(explain(refused(long_id)).place == "groups[0].id");
  auto long_answer = group("a", "x");
  long_answer.answer = std::string(1025, 'a');
  CHECK(explain(refused(long_answer)).place == "groups[0].answer");
  auto no_topic = group("a", "x");
  no_topic.events[0].topic.clear();
  CHECK(refused(no_topic) == ec::invalid_argument);
  CHECK(refused(group("a", std::string(17 << 20, 'x'))) == ec::too_large);
  CHECK(payloads().empty());
}

TEST_CASE_METHOD(world, "events past their age or size go, but none that a cursor needs",
                 "[journal]") {
  options.keep_bytes = 5000;
  restart();
  for (auto i = 0; i < 20; ++i)
    append_one(group({}, std::string(1000, 'x')));
  pass_a_minute();
  CHECK(status().first == 1); // nobody has registered: nobody has applied anything
  REQUIRE(ask<cursor>(it, cursor{"history", 3}));
  pass_a_minute();
  CHECK(status().first == 4);
  REQUIRE(ask<cursor>(it, cursor{"history", 20}));
  pass_a_minute();
  CHECK(status().first == 17);
  options.keep_for = 0s;
  restart();
  pass_a_minute();
  CHECK(status().first == 21);
}

TEST_CASE_METHOD(world, "a consumer that lags too far is evicted and told to rebuild",
                 "[journal]") {
  options.keep_bytes = 5000;
  options.consumer_lag = 10'000;
  restart();
  for (auto i = 0; i < 8; ++i)
    append_one(group({}, std::string(1000, 'x')));
  REQUIRE(ask<cursor>(it, cursor{"history", 8}));
  REQUIRE(ask<cursor>(it, cursor{"mail", 1}));
  pass_a_minute();
  CHECK(status().first == 2); // it lags, but within the bound
  for (auto i = 0; i < 8; ++i)
    append_one(group({}, std::string(1000, 'x')));
  REQUIRE(ask<cursor>(it, cursor{"history", 16}));
  pass_a_minute();
  CHECK(status().first > 2);
  CHECK(ask<cursor_list>(it, cursors_atom_v)->cursors.size() == 1);
  auto last = read(17);
  REQUIRE(last);
  REQUIRE(last->events.size() == 1);
  CHECK(last->events[0].what.topic == "journal.consumer_evicted");
  CHECK(unpack<cursor>(last->events[0].what.payload)->name == "mail");

  auto back = ask<cursor>(it, cursor{"mail", 2});
  REQUIRE(!back);
  CHECK(back.error() == ec::gone);
  CHECK(one_line(back.error()).find("rebuild") != std::string::npos);
  restart();
  CHECK(ask<cursor>(it, cursor{"mail", 2}).error() == ec::gone);
  REQUIRE(ask<cursor>(it, caf::delete_atom_v, std::string{"mail"}));
  CHECK(ask<cursor>(it, cursor{"mail", 0}));
}

TEST_CASE_METHOD(world, "what the ledger needs is never evicted, however far it lags",
                 "[journal]") {
  options.keep_bytes = 2000;
  options.consumer_lag = 3000;
  restart();
  for (auto i = 0; i < 20; ++i)
    append_one(group({}, std::string(1000, 'x')));
  REQUIRE(ask<cursor>(it, cursor{"history", 1}));
  pass_a_minute();
  CHECK(status().first == 2);
  CHECK(ask<cursor>(it, cursor{"history", 2}));
}

TEST_CASE_METHOD(world, "with a full disk whoever holds back retention is evicted", "[journal]") {
  options.keep_bytes = 2000;
  restart();
  for (auto i = 0; i < 20; ++i)
    append_one(group({}, std::string(1000, 'x')));
  REQUIRE(ask<cursor>(it, cursor{"history", 20}));
  REQUIRE(ask<cursor>(it, cursor{"mail", 1}));
  pass_a_minute();
  CHECK(status().first == 2);
  memory().fail_commits(fault(ec::disk_full, "full"));
  pass_a_minute();
  CHECK(status().first > 2);
}

TEST_CASE_METHOD(world, "no stream of other messages holds up a commit", "[journal]") {
  auto backend = std::make_shared<chatty_backend>();
  stop();
  journal_world::world.backend = backend;
  start();
  backend->journal = it;
  caf::anon_send(it, append_events{{}, 0, {group("a", "one")}});
  caf::anon_send(it, status_atom_v);
  sched.run();
  backend->journal = nullptr;
  CHECK(backend->talked == chatty_backend::most);
  CHECK(backend->talked_at_commit > 0);
  CHECK(backend->talked_at_commit < chatty_backend::most);
}

TEST_CASE("the stored form of an event does not change", "[journal]") {
  auto hex = [](std::string_view bytes) {
    auto out = std::string{};
    for (auto byte : bytes) {
      constexpr auto digits = std::string_view{"0123456789abcdef"};
      out += digits[static_cast<uint8_t>(byte) >> 4];
      out += digits[byte & 15];
    }
    return out;
  };
  auto time = caf::timestamp{caf::timespan{0x0102030405060708}};
  auto x = stored_event{300, 7, time, {"job.queued", time, "payload"}};
  CHECK(hex(encode(x))
        == "27ac0207"
           "0807060504030201"
           "1b"
           "0a6a6f622e717565756564"
           "0807060504030201"
           "077061796c6f6164");
  CHECK(hex(encode(journal_head{300, 2, 5})) == "04ac020205");
  CHECK(hex(encode(kept_id{5, time, 9, "first"}))
        == "1005"
           "0807060504030201"
           "09"
           "056669727374");
  CHECK(hex(number_key(300)) == "000000000000012c");
}
