/// What systemd hears of a node: that it lives, as long as its supervisor answers.
#include "nodes/node.hpp"
#include "nodes/signals.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// systemd's end of the socket of notices.
class notice_board {
public:
  explicit notice_board(std::chrono::microseconds watchdog)
    : path_{folder_.path() + "/notify"}, fd_{socket(AF_UNIX,
                                                    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
    auto address = sockaddr_un{};
    address.sun_family = AF_UNIX;
    REQUIRE(path_.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path_.data(), path_.size());
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    setenv("WATCHDOG_USEC", std::to_string(watchdog.count()).c_str(), 1);
  }
  ~notice_board() {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(fd_);
  }
  notice_board(const notice_board&) = delete;
  notice_board& operator=(const notice_board&) = delete;

  /// Takes all notices; returns how many of them said `text`.
  size_t take(std::string_view text) {
    auto out = size_t{0};
    auto notice = std::array<char, 256>{};
    for (auto n = ssize_t{0}; (n = recv(fd_, notice.data(), notice.size(), 0)) >= 0;)
      out += std::string_view{notice.data(), static_cast<size_t>(n)} == text;
    return out;
  }
  bool await_notice(std::string_view text) {
    return tests::await(60s, [&] { return take(text) > 0; });
  }

private:
  tests::temp_folder folder_;
  std::string path_;
  int fd_;
};

/// Keeps every question and answers none. The number: CAF binds a null reference where an
/// actor takes no argument, which a hardened library refuses.
supervisor_actor::behavior_type
stuck_supervisor(supervisor_actor::stateful_pointer<std::vector<caf::response_promise>> self, int) {
  return {
    [self](status_atom) {
      auto promise = self->make_response_promise<node_status>();
      self->state.push_back(promise);
      return promise;
    },
    [](restart_atom, const std::string&) {},
    [](drain_atom) { return uint32_t{0}; },
  };
}

} // namespace

TEST_CASE("systemd hears of life only while there is some", "[integration][node]") {
  auto board = notice_board{40ms};
  auto alive = std::atomic<bool>{true};
  auto asked = std::atomic<int>{0};
  auto code = std::atomic<int>{0};
  auto watch = std::atomic<signal_watch*>{nullptr};
  // On a thread of its own, for the signal mask is the thread's.
  auto waiter = std::thread{[&] {
    auto signals = signal_watch{};
    watch = &signals;
    code = signals.wait([] {},
                        [&](std::chrono::milliseconds) {
                          ++asked;
                          return alive.load();
                        });
  }};
  auto await_questions = [&](int n) {
    auto before = asked.load();
    return tests::await(60s, [&] { return asked >= before + n; });
  };
  CHECK(board.await_notice("WATCHDOG=1"));
  alive = false;
  CHECK(await_questions(2)); // the one before is through with its notice
  board.take("WATCHDOG=1");
  CHECK(await_questions(3));
  CHECK(board.take("WATCHDOG=1") == 0);
  alive = true;
  CHECK(board.await_notice("WATCHDOG=1"));
  watch.load()->raise(7);
  waiter.join();
  CHECK(code == 7);
}

TEST_CASE("a supervisor that is stuck or dead does not answer", "[integration][node]") {
  auto config = caf::actor_system_config{};
  config.add_message_types<caf::id_block::troupe_atoms>();
  config.add_message_types<caf::id_block::troupe>();
  auto sys = caf::actor_system{config};
  auto boss = supervisor_actor{sys.spawn(stuck_supervisor, 0)};
  CHECK_FALSE(answers(sys, boss, 50ms));
  caf::anon_send_exit(boss, caf::exit_reason::kill);
  CHECK_FALSE(answers(sys, boss, 60s)); // at once
}

TEST_CASE("a node tells systemd that it is ready, lives and leaves", "[integration][node]") {
  auto folder = tests::temp_folder{};
  auto config = folder.path() + "/node.yaml";
  std::ofstream{config} << "node: {name: n, data: " << folder.path()
                        << "/data, log: error}\nroles: {journal: , jobs: }\n";
  auto board = notice_board{2s};
  auto node = tests::child_process{
    {TROUPE_BINARY_DIR "/nodes/troupe-node", "--config", config}, {}, folder.path() + "/log"};
  auto ready = board.await_notice("READY=1");
  auto lives = ready && board.await_notice("WATCHDOG=1") && board.await_notice("WATCHDOG=1");
  node.signal(SIGTERM);
  auto code = node.wait(60s);
  CHECK(ready);
  CHECK(lives);
  CHECK(board.take("STOPPING=1") == 1);
  CHECK(code == 0);
}
