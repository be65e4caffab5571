#include "bridges/http/client.hpp"
#include "tests/support/http_world.hpp"

#include <catch2/catch.hpp>
#include <sys/resource.h>

#include <atomic>
#include <future>
#include <thread>

using namespace troupe;
using namespace troupe::tests;
using namespace std::literals;

TEST_CASE("a request is handed over decoded, and its answer framed", "[bridge][http]") {
  auto w = world{};
  auto c = w.connect();
  c.send("POST /x%20y?b=1&a=%2B HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  auto answer = c.read_answer();
  CHECK(status_of(answer) == 200);
  CHECK(answer.ends_with("POST /x y|a=+;b=1;|hello"));
  for (auto header : {"Content-Type: text/plain\r\n", "X-Content-Type-Options: nosniff\r\n",
                      "Cache-Control: no-store\r\n", "X-Request-Id: "})
    CHECK(answer.find(header) != answer.npos);
}

TEST_CASE("a connection serves request after request, in order", "[bridge][http]") {
  auto w = world{};
  auto c = w.connect();
  auto all = std::string{};
  for (auto i = 0; i < 50; ++i)
    all += post("/" + std::to_string(i), std::string(static_cast<size_t>(i) * 40, 'x'));
  c.send(all + std::string{last_get});
  for (auto i = 0; i < 50; ++i)
    CHECK(c.read_answer().ends_with("POST /" + std::to_string(i) + "||"
                                    + std::string(static_cast<size_t>(i) * 40, 'x')));
  CHECK(c.read_answer().find("Connection: close") != std::string::npos);
  CHECK(c.closed());
  CHECK(w.server.counts().accepted == 1);
}

TEST_CASE("HEAD is answered like GET without the body", "[bridge][http]") {
  auto w = world{};
  auto c = w.connect();
  c.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
  auto answer = c.read_answer(false);
  CHECK(answer.find("Content-Length: 9\r\n") != answer.npos);
  c.send(get);
  CHECK(c.read_answer().ends_with("GET /a||"));
}

TEST_CASE("a chunked body and one after 100-continue arrive whole", "[bridge][http]") {
  auto w = world{};
  auto c = w.connect();
  c.send("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  c.send("2\r\nde\r\n0\r\n\r\n");
  CHECK(c.read_answer().ends_with("POST /c||abcde"));
  c.send("POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CHECK(c.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  c.send("xyz");
  CHECK(c.read_answer().ends_with("POST /e||xyz"));
}

TEST_CASE("what the guard refuses never reaches a handler", "[bridge][http]") {
  auto calls = std::atomic<int>{0};
  auto w = world{[&](const http_request& x) {
    ++calls;
    return echo(x);
  }};
  auto answer =
    w.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(status_of(answer) == 400);
  CHECK(answer.find(R"({"error":{"code":"bad_request","message":)") != answer.npos);
  CHECK(status_of(w.say("GET /\n\n")) == 400);
  CHECK(status_of(w.say("GET / HTTP/3.0\r\n\r\n")) == 505);
  CHECK(status_of(w.say("BREW / HTTP/1.1\r\nHost: a\r\n\r\n")) == 501);
  CHECK(status_of(w.say("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(10'000, 'y'))) == 431);
  CHECK(calls == 0);
  CHECK(w.server.counts().bad_requests == 5);
}

TEST_CASE("the gate's answer comes before the body, and the client can read it", "[bridge][http]") {
  auto gate = [](const http_request& x) {
    auto out = body_verdict{};
    out.max_body = x.path == "/small" ? 10 : 1 << 20;
    if (x.header("authorization").empty()) {
      out.refuse = text_answer("who?");
      out.refuse->status = 401;
    }
    return out;
  };
  auto w = world{echo, {}, gate};
  // 64 MiB are announced and a part is sent without waiting for the verdict.
  auto c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n"
         + std::string(1 << 20, 'x'));
  auto answer = c.read_all();
  CHECK(status_of(answer) == 401);
  CHECK(answer.ends_with("who?"));
  auto small = "POST /small HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\n"s;
  CHECK(status_of(w.say(small + "Content-Length: 11\r\n\r\n")) == 413);
  CHECK(status_of(w.say(small + "Transfer-Encoding: chunked\r\n\r\nb\r\n")) == 413);
  CHECK(status_of(w.say(small + "Connection: close\r\nContent-Length: 2\r\n\r\nok")) == 200);
}

TEST_CASE("a handler or a gate that throws is answered with 500", "[bridge][http]") {
  auto w = world{[](const http_request& x) -> http_response {
                   if (x.path == "/a")
                     throw std::runtime_error{"broken"};
                   return echo(x);
                 },
                 {},
                 [](const http_request& x) -> body_verdict {
                   if (x.path == "/gate")
                     throw std::runtime_error{"broken"};
                   return {1000, std::nullopt};
                 }};
  auto c = w.connect();
  c.send(get);
  auto answer = c.read_answer();
  CHECK(status_of(answer) == 500);
  CHECK(answer.find("broken") == answer.npos);
  c.send(last_get);
  CHECK(status_of(c.read_all()) == 200);
  CHECK(status_of(w.say("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n")) == 500);
}

TEST_CASE("headers of an answer cannot break its framing", "[bridge][http]") {
  auto w = world{[](const http_request&) {
    auto out = text_answer("body");
    out.headers = {{"X-Good", "1"},         {"X-Bad", "a\r\nSet-Cookie: b"},
                   {"Content-Length", "1"}, {"Connection", "close"},
                   {"X: Y", "1"},           {"Cache-Control", "max-age=60"}};
    return out;
  }};
  auto c = w.connect();
  c.send(get);
  auto answer = c.read_answer();
  CHECK(answer.find("X-Good: 1\r\n") != answer.npos);
  CHECK(answer.find("Cache-Control: max-age=60\r\n") != answer.npos);
  CHECK(answer.find("no-store") == answer.npos);
  CHECK(answer.find("Set-Cookie") == answer.npos);
  CHECK(answer.find("Content-Length: 4\r\n") != answer.npos);
  CHECK(answer.ends_with("body"));
}

TEST_CASE("a full queue is answered with 503 and Retry-After", "[bridge][http]") {
  auto gate = door{};
  auto options = http_options{};
  options.workers = 2;
  options.queue = 1;
  auto w = world{[&](const http_request& x) {
                   gate.pass();
                   return echo(x);
                 },
                 options};
  auto busy = std::vector<raw_http>{};
  for (auto i = 0; i < 2; ++i)
    busy.push_back(w.connect()), busy.back().send(last_get);
  gate.await(2);
  busy.push_back(w.connect());
  busy.back().send(last_get);
  w.await([](const http_counts& x) { return x.requests == 3; });
  auto answer = w.say(get);
  CHECK(status_of(answer) == 503);
  CHECK(answer.find("Retry-After: 1\r\n") != answer.npos);
  gate.open();
  for (auto& c : busy)
    CHECK(status_of(c.read_all()) == 200);
}

TEST_CASE("connections are capped by address and in all", "[bridge][http]") {
  auto options = http_options{};
  options.max_connections = 5;
  options.max_connections_per_address = 3;
  auto w = world{echo, options};
  auto held = std::vector<raw_http>{};
  auto served = [&](const char* from) {
    auto c = w.connect(from);
    c.send(get);
    auto status = status_of(c.read_answer());
    if (status == 200)
      held.push_back(std::move(c));
    return status;
  };
  for (auto i = 0; i < 3; ++i)
    CHECK(served("127.0.0.2") == 200);
  CHECK(served("127.0.0.2") != 200);
  CHECK(served("127.0.0.3") == 200);
  CHECK(served("127.0.0.3") == 200);
  CHECK(served("127.0.0.4") != 200);
  held.clear();
  w.await([](const http_counts& x) { return x.open == 0; });
  CHECK(served("127.0.0.4") == 200);
  CHECK(w.server.counts().refused == 2);
}

TEST_CASE("slow heads, slow bodies and idle connections end in time", "[bridge][http]") {
  auto options = http_options{};
  options.header_time = 100ms;
  options.idle_time = 200ms;
  auto w = world{echo, options};
  CHECK(w.say("") == "");
  CHECK(status_of(w.say("GET / HTTP/1.1\r\nHo")) == 408);
  CHECK(status_of(w.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")) == 408);
  auto c = w.connect();
  c.send(get);
  CHECK(status_of(c.read_answer()) == 200);
  CHECK(c.read_all() == "");
}

TEST_CASE("a reader that takes nothing loses its connection, and holds little", "[bridge][http]") {
  auto options = http_options{};
  options.write_time = 200ms;
  options.min_body_rate = 100 << 20;
  auto w =
    world{[](const http_request&) { return text_answer(std::string(32 << 20, 'x')); }, options};
  auto c = w.connect();
  c.shrink_receive_buffer();
  c.send(get);
  w.await([](const http_counts& x) { return x.buffered > 0; });
  w.await([](const http_counts& x) { return x.open == 0 && x.buffered == 0; });
}

TEST_CASE("answers that nobody reads are bounded together", "[bridge][http]") {
  auto options = http_options{};
  options.max_unsent = 64 << 20;
  auto w =
    world{[](const http_request&) { return text_answer(std::string(24 << 20, 'x')); }, options};
  auto readers = std::vector<raw_http>{};
  for (auto i = 0; i < 6; ++i) {
    readers.push_back(w.connect());
    readers.back().shrink_receive_buffer();
    readers.back().send(get);
  }
  w.await([](const http_counts& x) { return x.requests == 6 && x.open <= 2; });
  CHECK(w.server.counts().buffered <= options.max_unsent);
}

TEST_CASE("a live stream is written by credit and ends properly", "[bridge][http]") {
  auto w = world{[](const http_request&) {
    auto out = http_response{};
    out.content_type = "text/event-stream";
    out.stream = [](stream_writer to) {
      auto step = std::make_shared<std::function<void(int)>>();
      *step = [to, step](int n) mutable {
        if (n == 100)
          return to.finish(), void(*step = nullptr);
        to.write("id: " + std::to_string(n) + "\ndata: " + std::string(5000, 'x') + "\n\n",
                 [step, n](bool sent) {
                   if (auto next = *step; sent && next)
                     next(n + 1);
                 });
      };
      auto first = *step;
      first(0);
    };
    return out;
  }};
  auto client = http_client{{"127.0.0.1", w.server.port()}};
  auto seen = 0;
  auto answer = client.follow("/live", {}, [&](const server_event& x) {
    CHECK(x.id == std::to_string(seen++));
    CHECK(x.text.size() == 5000);
    return true;
  });
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(seen == 100);
  w.await([](const http_counts& x) { return x.streams == 0; });
}

TEST_CASE("a stream's producer learns that its reader is gone", "[bridge][http]") {
  auto writer = std::promise<stream_writer>{};
  auto w = world{[&](const http_request&) {
    auto out = http_response{};
    out.stream = [&](stream_writer to) { writer.set_value(to); };
    return out;
  }};
  auto c = std::make_unique<raw_http>(w.connect());
  c->send(get);
  auto to = writer.get_future().get();
  auto first = std::promise<bool>{};
  to.write("x", [&](bool sent) { first.set_value(sent); });
  CHECK(first.get_future().get());
  CHECK(to.alive());
  c.reset();
  w.await([](const http_counts& x) { return x.streams == 0; });
  CHECK_FALSE(to.alive());
  auto second = std::promise<bool>{};
  to.write("y", [&](bool sent) { second.set_value(sent); });
  CHECK_FALSE(second.get_future().get());
}

TEST_CASE("live streams hold no worker and are capped", "[bridge][http]") {
  auto streams = std::vector<stream_writer>{};
  auto options = http_options{};
  options.workers = 1;
  options.max_streams = 20;
  auto w = world{[&](const http_request& x) {
                   if (x.path != "/live")
                     return echo(x);
                   auto out = http_response{};
                   out.stream = [&](stream_writer to) { streams.push_back(to); };
                   return out;
                 },
                 options};
  auto readers = std::vector<raw_http>{};
  for (auto i = 0; i < 20; ++i) {
    readers.push_back(w.connect());
    readers.back().send("GET /live HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(status_of(readers.back().read_answer()) == 200);
  }
  CHECK(w.server.counts().streams == 20);
  CHECK(status_of(w.say("GET /live HTTP/1.1\r\nHost: a\r\n\r\n")) == 503);
  CHECK(status_of(w.say(last_get)) == 200);
  w.server.stop(5s);
  for (auto& reader : readers)
    CHECK(reader.read_all() == "0\r\n\r\n");
}

TEST_CASE("requests over the rate are answered with 429", "[bridge][http]") {
  auto options = http_options{};
  options.rate_per_subject = 5;
  options.failures_per_address = 3;
  auto w = world{echo, options, [](const http_request& x) {
                   auto out = body_verdict{};
                   if (x.path == "/no") {
                     out.refuse = text_answer("no");
                     out.refuse->status = 401;
                   }
                   return out;
                 }};
  auto ask = [&](std::string token, std::string path = "/") {
    return w.say("GET " + path
                 + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer " + token
                 + "\r\n\r\n");
  };
  auto last = std::string{};
  for (auto i = 0; i < 100 && status_of(last) != 429; ++i)
    last = ask("one");
  CHECK(status_of(last) == 429);
  CHECK(last.find("Retry-After: 1\r\n") != last.npos);
  CHECK(status_of(ask("two")) == 200);
  // Guessing tokens has its own, lower rate, whatever the tokens are.
  for (auto i = 0; i < 100 && status_of(last) != 401; ++i)
    last = ask("guess" + std::to_string(i), "/no");
  for (auto i = 0; i < 100 && status_of(last) != 429; ++i)
    last = ask("other" + std::to_string(i), "/no");
  CHECK(status_of(last) == 429);
}

TEST_CASE("a handler's 401 counts like the gate's", "[bridge][http]") {
  auto options = http_options{};
  options.failures_per_address = 3;
  auto w = world{[](const http_request&) {
                   auto out = text_answer("no");
                   out.status = 401;
                   return out;
                 },
                 options};
  auto c = w.connect();
  auto last = std::string{};
  for (auto i = 0; i < 100 && status_of(last) != 429; ++i) {
    c.send(get);
    last = c.read_answer();
  }
  CHECK(status_of(last) == 429);
  CHECK(last.find("Retry-After: 1\r\n") != last.npos);
  CHECK(c.closed());
}

TEST_CASE("who ends in the middle of a request frees its place at once", "[bridge][http]") {
  auto options = http_options{};
  options.header_time = options.idle_time = 1h; // Time frees nothing here.
  auto gate = door{};
  auto w = world{echo, options, [&](const http_request& x) {
                   if (x.path == "/wait")
                     gate.pass();
                   return body_verdict{1000, std::nullopt};
                 }};
  // The loop is held up, so that bytes and end come to it together.
  auto holder = w.connect();
  holder.send("POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
  gate.await(1);
  auto half_head = w.connect();
  half_head.send("GET /a HTTP/1.1\r\nHo");
  auto half_body = w.connect();
  half_body.send("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  auto whole = w.connect();
  whole.send(get);
  for (auto c : {&half_head, &half_body, &whole})
    c->end_sending();
  gate.open();
  CHECK(status_of(holder.read_all()) == 200);
  CHECK(half_head.read_all().empty());
  CHECK(half_body.read_all().empty());
  CHECK(whole.read_all().ends_with("GET /a||"));
  w.await([](const http_counts& x) { return x.open == 0; });
}

TEST_CASE("a stream for one that has ended does not begin", "[bridge][http]") {
  auto begun = std::atomic<bool>{false};
  auto hold = door{};
  auto w = world{[&](const http_request&) {
    hold.pass();
    auto out = http_response{};
    out.stream = [&](stream_writer) { begun = true; };
    return out;
  }};
  auto c = w.connect();
  c.send(get);
  hold.await(1);
  c.end_sending();
  auto other = w.connect(); // The loop has seen the end when it has seen this.
  other.send("BREW / HTTP/1.1\r\n\r\n");
  CHECK(status_of(other.read_all()) == 501);
  hold.open();
  CHECK(c.read_all().empty());
  CHECK_FALSE(begun);
  CHECK(w.server.counts().streams == 0);
}

TEST_CASE("a header that may come once is refused when it comes twice", "[bridge][http]") {
  auto w = world{};
  for (auto name : {"Idempotency-Key", "Last-Event-ID", "Authorization", "Content-Type"}) {
    INFO(name);
    auto twice = std::string{name} + ": a\r\n" + name + ": b\r\n\r\n";
    CHECK(status_of(w.say("GET / HTTP/1.1\r\nHost: a\r\n" + twice)) == 400);
  }
}

TEST_CASE("a stop answers what is complete and accepts no more", "[bridge][http]") {
  auto gate = door{};
  auto w = world{[&](const http_request& x) {
    gate.pass();
    return echo(x);
  }};
  auto busy = w.connect();
  auto idle = w.connect();
  busy.send(get);
  gate.await(1);
  auto stopped = std::async(std::launch::async, [&] { w.server.stop(10s); });
  CHECK(idle.read_all() == "");
  gate.open();
  CHECK(status_of(busy.read_all()) == 200);
  stopped.get();
  CHECK_FALSE(w.connect().connected());
}

TEST_CASE("without descriptors the server waits and then goes on", "[bridge][http]") {
  auto w = world{};
  auto before = rlimit{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  // Sockets made before the limit falls, so that only the server lacks descriptors.
  auto clients = std::vector<raw_http>(4);
  auto low = before;
  low.rlim_cur = 3;
  ::setrlimit(RLIMIT_NOFILE, &low);
  for (auto& c : clients)
    c.connect(w.server.port());
  w.await([](const http_counts& x) { return x.refused > 0; });
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(status_of(w.say(last_get)) == 200);
}

TEST_CASE("an address in use is an error that names it", "[bridge][http]") {
  auto w = world{};
  auto options = http_options{};
  options.port = w.server.port();
  auto second = http_server{options, nullptr, echo};
  auto why = second.start();
  REQUIRE(why);
  CHECK(explain(why).code == ec::unavailable);
  CHECK(one_line(why).find("127.0.0.1:" + std::to_string(w.server.port())) == 0);
}
