#pragma once

#include "bridges/http/server.hpp"
#include "tests/support/raw_http.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

/// A server on an ephemeral port, and what its tests say to it.
namespace troupe::tests {

using namespace std::literals;

/// A door that handlers wait at until the test opens it.
class door {
public:
  void open() {
    auto lock = std::lock_guard{mutex_};
    open_ = true;
    change_.notify_all();
  }
  void pass() {
    auto lock = std::unique_lock{mutex_};
    ++waiting_;
    change_.notify_all();
    change_.wait_for(lock, 20s, [this] { return open_; });
  }
  void await(int count) {
    auto lock = std::unique_lock{mutex_};
    change_.wait_for(lock, 20s, [&] { return waiting_ >= count; });
  }

private:
  std::mutex mutex_;
  std::condition_variable change_;
  bool open_ = false;
  int waiting_ = 0;
};

inline http_response text_answer(std::string body) {
  auto out = http_response{};
  out.content_type = "text/plain";
  out.body = std::move(body);
  return out;
}

/// Answers with what it saw.
inline http_response echo(const http_request& x) {
  auto out = text_answer(x.method + ' ' + x.path + '|');
  for (const auto& [name, value] : x.query)
    out.body += name + '=' + value + ';';
  out.body += '|' + x.body;
  return out;
}

struct world {
  explicit world(http_handler handler = echo, http_options options = {},
                 http_body_gate gate = nullptr)
    : server{[&] {
               options.port = 0;
               return options;
             }(),
             std::move(gate), std::move(handler)} {
    REQUIRE_FALSE(server.start());
  }
  raw_http connect(const char* from = "127.0.0.1") {
    return raw_http{server.port(), from};
  }
  /// Sends bytes on a fresh connection and returns all that comes back until it closes.
  std::string say(std::string_view bytes) {
    auto c = connect();
    c.send(bytes);
    return c.read_all();
  }
  template <class F>
  void await(F condition) {
    for (auto end = std::chrono::steady_clock::now() + 20s; !condition(server.counts());) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::yield();
    }
  }

  http_server server;
};

inline std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string{path} + " HTTP/1.1\r\nHost: a\r\nContent-Length: "
         + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

inline constexpr auto get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"sv;
inline constexpr auto last_get = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"sv;

} // namespace troupe::tests
