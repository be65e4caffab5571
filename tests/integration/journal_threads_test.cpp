#include "actors/journal/embedded_backend.hpp"
#include "actors/journal/journal.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <thread>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct threads_config : caf::actor_system_config {
  threads_config() {
    add_message_types<caf::id_block::troupe_atoms>();
    add_message_types<caf::id_block::troupe>();
    set("scheduler.policy", caf::atom("sharing"));
  }
};

/// A journal on its own thread with readers on theirs, as in a node.
struct threaded_journal {
  threaded_journal() {
    auto db = database::open(folder.path());
    REQUIRE(db);
    auto backend = embedded_backend::open(*db);
    REQUIRE(backend);
    it = spawn_journal(sys, *backend);
  }
  ~threaded_journal() {
    caf::anon_send_exit(it, caf::exit_reason::user_shutdown);
  }

  template <class Reply, class Message>
  caf::expected<Reply> ask(Message what) {
    auto out = caf::expected<Reply>{caf::make_error(ec::timeout)};
    auto self = caf::scoped_actor{sys};
    self->request(it, 60s, std::move(what))
      .receive([&](Reply& y) { out = std::move(y); }, [&](caf::error& e) { out = std::move(e); });
    return out;
  }

  tests::temp_folder folder;
  threads_config config;
  caf::actor_system sys{config};
  journal_actor it;
};

} // namespace

TEST_CASE_METHOD(threaded_journal, "many appenders and a follower see one order without gaps",
                 "[journal]") {
  constexpr auto appenders = 8;
  constexpr auto each = 60;
  auto repeated = std::atomic<int>{0};
  auto failed = std::atomic<int>{0};
  auto append = [&](int who) {
    // Each id comes twice, as from a client that lost the first answer.
    for (auto i = 0; i < 2 * each; ++i) {
      auto text = std::to_string(who) + "/" + std::to_string(i / 2);
      auto results =
        ask<append_results>(append_events{{}, 0, {{text, 1, text, {{"t", {}, text}}}}});
      if (!results)
        ++failed;
      else if (results->results[0].outcome == append_outcome::repeated)
        repeated += results->results[0].answer == text ? 1 : 0;
    }
  };
  auto seen = std::multiset<std::string>{};
  auto gaps = 0;
  auto follow = [&] {
    for (auto next = uint64_t{1}; next <= appenders * each;) {
      auto batch = ask<event_batch>(read_events{next, 100, 1 << 20, 20s});
      if (!batch)
        return;
      for (const auto& x : batch->events) {
        gaps += x.sequence == next++ ? 0 : 1;
        seen.insert(x.what.payload);
      }
    }
  };
  auto threads = std::vector<std::thread>{};
  threads.emplace_back(follow);
  for (auto who = 0; who < appenders; ++who)
    threads.emplace_back(append, who);
  for (auto& x : threads)
    x.join();
  CHECK(failed == 0);
  CHECK(repeated == appenders * each);
  CHECK(gaps == 0);
  CHECK(seen.size() == appenders * each);
  CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == seen.size());
}

TEST_CASE_METHOD(threaded_journal, "a read that waits when the journal ends is answered",
                 "[journal]") {
  auto answer = caf::expected<event_batch>{event_batch{}};
  auto reader = std::thread{[&] { answer = ask<event_batch>(read_events{1, 10, 1024, 30s}); }};
  // The status is answered after the read was taken, or the read finds the journal gone.
  CHECK(ask<journal_status>(status_atom_v));
  caf::anon_send_exit(it, caf::exit_reason::user_shutdown);
  reader.join();
  CHECK_FALSE(answer);
}
