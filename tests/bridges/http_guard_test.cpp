#include "bridges/http/answer_text.hpp"
#include "bridges/http/server.hpp"
#include "messages/json.hpp"
#include "tests/support/raw_http.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <iostream>
#include <thread>

using namespace troupe;
using namespace std::literals;
using tests::raw_http;
using tests::status_of;

namespace {

using clock_type = std::chrono::steady_clock;

/// Resident memory of this process, attackers included, in bytes.
size_t resident() {
  auto in = std::ifstream{"/proc/self/statm"};
  auto all = size_t{0};
  auto mine = size_t{0};
  in >> all >> mine;
  return mine * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto memory_bound = size_t{400} << 20; // Shadow memory and quarantine count too.
#else
constexpr auto memory_bound = size_t{20} << 20;
#endif

/// A node's server as far as the guard is concerned: health is free, all else
/// takes JSON of up to 1 MiB.
http_response handle(const http_request& x) {
  auto out = http_response{};
  if (x.path == "/healthz/live") {
    out.body = "{}";
    return out;
  }
  auto body = parse_json_text(x.body);
  return body ? out : error_answer(400, "invalid_argument", one_line(body.error()));
}

/// Health checks so far: the pace of those who dribble.
std::atomic<size_t> questions = 0;

struct measured {
  size_t asked = 0;
  size_t answered = 0;
  double p50 = 0; ///< Milliseconds.
  double p99 = 0;
  double worst = 0;
  size_t memory = 0; ///< Bytes more than before, at most.
};

/// Asks `/healthz/live` from 127.0.0.1 again and again while `attack` runs, on
/// fresh and on kept connections in turn.
measured under_attack(http_server& server, const std::function<void()>& attack) {
  constexpr auto question = "GET /healthz/live HTTP/1.1\r\nHost: a\r\n\r\n"sv;
  auto out = measured{};
  auto times = std::vector<double>{};
  const auto before = resident();
  auto over = std::atomic<bool>{false};
  auto attacker = std::thread{[&] {
    attack();
    over = true;
  }};
  auto kept = raw_http{server.port()};
  for (auto last = false; !last;) {
    last = over; // At least one question comes after the attack.
    auto fresh = raw_http{};
    auto begin = clock_type::now();
    if (out.asked % 2 == 0)
      fresh.connect(server.port());
    auto& c = out.asked % 2 == 0 ? fresh : kept;
    ++out.asked;
    ++questions;
    questions.notify_all();
    if (c.connected() && c.send(question) && status_of(c.read_answer()) == 200) {
      ++out.answered;
      times.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - begin).count());
    } else {
      kept = raw_http{server.port()};
    }
    auto now = resident();
    out.memory = std::max(out.memory, now > before ? now - before : 0);
    std::this_thread::yield();
  }
  attacker.join();
  std::sort(times.begin(), times.end());
  if (!times.empty()) {
    out.p50 = times[times.size() / 2];
    out.p99 = times[times.size() * 99 / 100];
    out.worst = times.back();
  }
  return out;
}

void report(const char* what, const measured& x) {
  std::cout << what << ": " << x.answered << " of " << x.asked << " health checks answered, p50 "
            << x.p50 << " ms, p99 " << x.p99 << " ms, worst " << x.worst << " ms, memory +"
            << (x.memory >> 10) << " KiB\n";
}

void check(const char* what, const measured& x) {
  report(what, x);
  CHECK(x.asked > 0);
  CHECK(x.answered == x.asked);
  CHECK(x.memory < memory_bound);
}

http_options quick(size_t per_address) {
  auto out = http_options{};
  out.port = 0;
  out.max_connections_per_address = per_address;
  out.header_time = 1500ms; // The defaults take 5 s: the same, only longer.
  out.linger_time = 300ms;
  return out;
}

/// Returns "127.0.0.2" to "127.0.0.9" in turn.
const char* attacker_address(size_t i) {
  static constexpr const char* all[] = {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5",
                                        "127.0.0.6", "127.0.0.7", "127.0.0.8", "127.0.0.9"};
  return all[i % 8];
}

/// Sends one byte of `text` on every connection per health check, until all are
/// closed. What is at its end goes on with its last byte for ever.
void dribble(std::vector<raw_http>& clients, std::string_view text) {
  auto open = std::vector<raw_http*>{};
  for (auto& c : clients)
    if (c.connected())
      open.push_back(&c);
  for (auto round = size_t{0}; !open.empty(); ++round) {
    auto byte = text.substr(std::min(round, text.size() - 1), 1);
    auto seen = questions.load();
    std::erase_if(open, [&](raw_http* c) { return c->send_some(byte) < 0; });
    questions.wait(seen);
  }
}

std::vector<raw_http> connect_from_all(http_server& server, size_t count) {
  auto out = std::vector<raw_http>{};
  out.reserve(count);
  for (auto i = size_t{0}; i < count; ++i)
    out.emplace_back(server.port(), attacker_address(i));
  return out;
}

measured dribblers(size_t per_address, size_t& refused, size_t& accepted) {
  auto server = http_server{quick(per_address), nullptr, handle};
  REQUIRE_FALSE(server.start());
  auto out = under_attack(server, [&] {
    auto clients = connect_from_all(server, 500);
    dribble(clients, "POST /tasks/schedule HTTP/1.1\r\nHost: a\r\nX-Slow: aaaaaaaaaaaaaaaaaa");
  });
  refused = server.counts().refused;
  accepted = server.counts().accepted;
  return out;
}

} // namespace

TEST_CASE("500 dribbling clients under raised caps keep nobody waiting", "[bridge][http][guard]") {
  auto refused = size_t{0};
  auto accepted = size_t{0};
  check("500 dribblers, raised caps", dribblers(500, refused, accepted));
  CHECK(accepted >= 500);
  CHECK(refused == 0);
}

TEST_CASE("500 dribbling clients meet the default cap of an address", "[bridge][http][guard]") {
  auto refused = size_t{0};
  auto accepted = size_t{0};
  check("500 dribblers, cap of 16 an address", dribblers(16, refused, accepted));
  CHECK(refused >= 500 - 8 * 16);
  auto server = http_server{quick(http_options{}.max_connections_per_address), nullptr, handle};
  REQUIRE_FALSE(server.start());
  check("500 dribblers of one address, default cap", under_attack(server, [&] {
          auto clients = std::vector<raw_http>{};
          for (auto i = 0; i < 500; ++i)
            clients.emplace_back(server.port(), "127.0.0.2");
          dribble(clients, "GET / HTTP/1.1\r\nHost: aaaaaaaaaaaaaaaaaaaaaaaaaaa");
        }));
  CHECK(server.counts().refused >= 500 - 64);
}

TEST_CASE("endless headers end at their limit", "[bridge][http][guard]") {
  auto server = http_server{quick(64), nullptr, handle};
  REQUIRE_FALSE(server.start());
  auto statuses = std::vector<int>{};
  auto sent = size_t{0};
  check("endless headers", under_attack(server, [&] {
          const auto piece = std::string(1 << 20, 'a');
          const auto lines = [] {
            auto out = std::string{};
            for (auto i = 0; i < 100'000; ++i)
              out += "X: y\r\n";
            return out;
          }();
          for (const auto& text : {piece, lines}) {
            auto c = raw_http{server.port(), "127.0.0.2"};
            c.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
            // 200 MB, as long as they are taken.
            for (auto i = 0; i < 200 && c.send(text); ++i)
              sent += text.size();
            statuses.push_back(status_of(c.read_all()));
          }
        }));
  CHECK(sent < (100 << 20));
  CHECK(server.counts().bad_requests == 2);
}

TEST_CASE("a body of 1 GB is refused by its length or at its limit", "[bridge][http][guard]") {
  auto server = http_server{quick(64), nullptr, handle};
  REQUIRE_FALSE(server.start());
  auto sent = size_t{0};
  check("bodies of 1 GB", under_attack(server, [&] {
          const auto piece = std::string(1 << 20, ' ');
          for (auto head :
               {"Content-Length: 1073741824\r\n\r\n"sv, "Transfer-Encoding: chunked\r\n\r\n"sv}) {
            auto c = raw_http{server.port(), "127.0.0.2"};
            c.send("POST /tasks/schedule HTTP/1.1\r\nHost: a\r\n" + std::string{head});
            const auto unit = head.starts_with('C') ? piece : "100000\r\n" + piece + "\r\n";
            for (auto i = 0; i < 1024 && c.send(unit); ++i)
              sent += unit.size();
          }
        }));
  CHECK(sent < (64 << 20));
  CHECK(server.counts().bad_requests == 2);
  CHECK(server.counts().requests > 0);
}

TEST_CASE("JSON of a million levels is refused, not followed", "[bridge][http][guard]") {
  auto server = http_server{quick(64), nullptr, handle};
  REQUIRE_FALSE(server.start());
  check("JSON, a million levels deep", under_attack(server, [&] {
          for (auto open : {'[', '{'}) {
            auto c = raw_http{server.port(), "127.0.0.2"};
            auto body = std::string{};
            while (body.size() < 1'000'000)
              body += open == '[' ? "[" : R"({"a":)";
            c.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size())
                   + "\r\n\r\n" + body);
            CHECK(status_of(c.read_answer()) == 400);
          }
        }));
}

TEST_CASE("64 half-sent bodies hold no more than all requests may", "[bridge][http][guard]") {
  auto server = http_server{quick(64), nullptr, handle};
  REQUIRE_FALSE(server.start());
  auto most = std::atomic<uint64_t>{0};
  check("64 half-sent bodies", under_attack(server, [&] {
          auto clients = connect_from_all(server, 64);
          const auto half = std::string(512 << 10, ' ');
          for (auto& c : clients) {
            c.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" + half);
            most = std::max(most.load(), server.counts().buffered);
          }
          for (auto& c : clients)
            c.read_all(); // Says no more until the server has enough of it.
        }));
  std::cout << "at most " << (most >> 10) << " KiB of requests were held\n";
  CHECK(most > 0);
  CHECK(most <= http_options{}.max_buffered + (2 << 20));
  CHECK(server.counts().buffered <= http_options{}.max_buffered);
}
