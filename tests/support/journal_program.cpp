#include "actors/journal/embedded_backend.hpp"
#include "actors/journal/journal.hpp"
#include "config/log.hpp"
#include "messages/time.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/small_disk.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <cstdio>
#include <memory>
#include <random>

/// A journal in a process of its own, for faults that a test must not suffer itself.
///
///   journal_program append FOLDER COUNT   appends one by one, a line "acked N" each
///   journal_program full FOLDER BYTES     lives through full disks of that size
namespace troupe::tests {

namespace {

using namespace std::chrono_literals;

struct program_config : caf::actor_system_config {
  program_config() {
    add_message_types<caf::id_block::troupe_atoms>();
    add_message_types<caf::id_block::troupe>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 1);
  }
};

[[noreturn]] void give_up(const std::string& why) {
  std::printf("%s\n", why.c_str());
  std::fflush(stdout);
  _exit(1);
}

/// A node's journal, as small as the disk asks for; a reserve of 0 = no guard.
class small_journal {
public:
  explicit small_journal(std::string folder, uint64_t reserve) : folder_{std::move(folder)} {
    auto options = database_options{};
    options.write_buffer = 512 << 10;
    options.all_write_buffers = 1 << 20;
    options.table_file = 512 << 10;
    options.log_size = 1 << 20;
    if (reserve > 0) {
      auto limits = disk_guard_options{};
      limits.reserve_percent = 0;
      limits.reserve_bytes = reserve;
      limits.ballast_bytes = 1 << 20;
      limits.interval = 100ms;
      auto guard = disk_guard::watch(folder_, limits);
      if (!guard)
        give_up(one_line(guard.error()));
      options.guard = *guard;
    }
    auto db = database::open(folder_ + "/store", options);
    if (!db)
      give_up("refused: " + one_line(db.error()));
    auto backend = embedded_backend::open(*db);
    if (!backend)
      give_up("refused: " + one_line(backend.error()));
    it_ = spawn_journal(sys_, *backend);
  }
  ~small_journal() {
    caf::anon_send_exit(it_, caf::exit_reason::user_shutdown);
  }
  small_journal(const small_journal&) = delete;
  small_journal& operator=(const small_journal&) = delete;

  template <class Reply, class... Ts>
  caf::expected<Reply> ask(Ts... xs) {
    auto out = caf::expected<Reply>{caf::make_error(ec::timeout)};
    auto self = caf::scoped_actor{sys_};
    self->request(it_, 5s, std::move(xs)...)
      .receive([&](Reply& y) { out = std::move(y); }, [&](caf::error& e) { out = std::move(e); });
    return out;
  }

  caf::error append(uint64_t number, size_t bytes) {
    auto payload = std::to_string(number) + "x";
    // Noise, or the tables would be compressed to nothing.
    for (auto noise = std::minstd_rand{static_cast<unsigned>(number)}; payload.size() < bytes;)
      payload += static_cast<char>(noise());
    auto x = append_group{std::to_string(number), number, {}, {{"t", {}, std::move(payload)}}};
    auto results = ask<append_results>(append_events{{}, 0, {std::move(x)}});
    return results ? caf::error{} : results.error();
  }

  journal_status status() {
    auto x = ask<journal_status>(status_atom_v);
    return x ? *x : journal_status{};
  }

private:
  std::string folder_;
  program_config config_;
  caf::actor_system sys_{config_};
  journal_actor it_;
};

int append(const std::string& folder, uint64_t count) {
  auto journal = small_journal{folder, 0};
  for (auto i = uint64_t{1}; i <= count; ++i) {
    if (auto why = journal.append(i, 300)) {
      std::printf("%s\n", one_line(why).c_str());
      // Stepped down: whoever asks later must not be acknowledged either.
      if (!journal.append(i, 300))
        give_up("acknowledged after a failed fsync");
      return explain(why).code == ec::unavailable ? 3 : 1;
    }
    std::printf("acked %llu\n", static_cast<unsigned long long>(i));
    std::fflush(stdout);
  }
  return 0;
}

/// Appends events until the guard refuses; returns how many it took.
uint64_t append_until_refused(small_journal& journal, uint64_t& next) {
  auto taken = uint64_t{0};
  for (;; ++taken, ++next)
    if (auto why = journal.append(next, 20'000)) {
      if (why != ec::disk_full)
        give_up("not refused for space: " + one_line(why));
      return taken;
    }
}

/// Checks that all appended events from the journal's first one on are there.
void check_events(small_journal& journal, uint64_t next) {
  auto from = journal.status().first;
  while (from < next) {
    auto batch = journal.ask<event_batch>(read_events{from, 256, 1 << 20, caf::timespan{0}});
    if (!batch)
      give_up("reading stopped: " + one_line(batch.error()));
    if (batch->events.empty())
      give_up("lost from " + std::to_string(from));
    for (const auto& x : batch->events)
      if (!x.what.payload.starts_with(std::to_string(x.sequence) + "x"))
        give_up("wrong event " + std::to_string(x.sequence));
    from = batch->next;
  }
}

void check_accepts_again(small_journal& journal, uint64_t& next, const char* after) {
  if (!await(15s, [&] { return journal.status().accepting && !journal.append(next, 100); }))
    give_up(std::string{"not ready again 15 s after "} + after);
  ++next;
}

int full(const std::string& folder, uint64_t bytes) {
  if (auto why = mount_small_disk(folder, bytes); !why.empty())
    give_up(why);
  auto next = uint64_t{1};
  {
    auto journal = small_journal{folder, bytes / 4};
    // Somebody else takes everything in the middle of our work.
    for (; next < 100; ++next)
      if (auto why = journal.append(next, 20'000))
        give_up("refused an empty disk: " + one_line(why));
    {
      auto eater = space_eater{folder + "/eater"};
      if (append_until_refused(journal, next) > 20)
        give_up("appended to a full disk");
      check_events(journal, next);
    }
    check_accepts_again(journal, next, "another's file was removed");
    // We fill it ourselves.
    if (append_until_refused(journal, next) == 0)
      give_up("no append taken");
    check_events(journal, next);
  }
  {
    auto journal = small_journal{folder, bytes / 4};
    check_events(journal, next);
    if (!journal.ask<journal_status>(trim_journal{next - next / 4}))
      give_up("could not trim");
    check_accepts_again(journal, next, "a trim");
    append_until_refused(journal, next);
    auto eater = space_eater{folder + "/eater"};
    check_events(journal, next);
  }
  auto journal = small_journal{folder, bytes / 4};
  check_events(journal, next);
  std::printf("%llu events\n", static_cast<unsigned long long>(next - 1));
  return 0;
}

} // namespace

} // namespace troupe::tests

int main(int argc, char** argv) {
  using namespace troupe::tests;
  if (argc != 4)
    give_up("usage: journal_program append|full FOLDER NUMBER");
  troupe::set_log("test", troupe::log_level::error);
  auto number = std::stoull(argv[3]);
  return std::string_view{argv[1]} == "append" ? append(argv[2], number) : full(argv[2], number);
}
