#include "bridges/http/framing.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace troupe;
using namespace std::literals;

namespace {

/// What came of some bytes: 0 = `requests` whole requests and nothing refused, 1 = more is wanted.
struct judgement {
  int status = 0;
  size_t requests = 0;
  std::string bodies;
  bool operator==(const judgement&) const = default;
};

std::ostream& operator<<(std::ostream& out, const judgement& x) {
  return out << x.status << ", " << x.requests << " requests, bodies \"" << x.bodies << '"';
}

judgement read_pieces(std::string_view bytes, size_t piece, size_t max_body = 1 << 20) {
  const auto limits = http_options{};
  auto framer = request_framer{limits};
  auto out = judgement{};
  while (!bytes.empty()) {
    auto now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    for (auto again = true; again;) {
      auto state = framer.feed(now);
      if (state == request_framer::state::judge)
        state = framer.admit(max_body);
      if (state == request_framer::state::refused)
        return {framer.refusal().status, out.requests, out.bodies};
      if (state == request_framer::state::complete) {
        ++out.requests;
        out.bodies += framer.body();
        framer.restart();
      }
      again = !now.empty();
    }
  }
  if (!framer.untouched())
    out.status = 1;
  return out;
}

judgement read_all(std::string_view bytes) {
  return read_pieces(bytes, bytes.size());
}

std::string get(std::string_view headers) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string{headers} + "\r\n";
}

std::string post(std::string_view headers, std::string_view body = {}) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + std::string{headers} + "\r\n" + std::string{body};
}

struct smuggling_case {
  const char* what;
  std::string bytes;
  int status;
};

const smuggling_case smuggling[] = {
  // Two ways to say how long the body is.
  {"CL and TE", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
  {"TE and CL", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
  {"CL 0 and TE", post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
  {"two different CL", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400},
  {"two equal CL", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400},
  {"CL list", post("Content-Length: 3, 3\r\n", "abc"), 400},
  {"CL plus sign", post("Content-Length: +3\r\n", "abc"), 400},
  {"CL minus", post("Content-Length: -3\r\n", "abc"), 400},
  {"CL hexadecimal", post("Content-Length: 0x3\r\n", "abc"), 400},
  {"CL with a space inside", post("Content-Length: 1 1\r\n", "abc"), 400},
  {"CL empty", post("Content-Length:\r\n", "abc"), 400},
  {"CL fraction", post("Content-Length: 3.0\r\n", "abc"), 400},
  {"CL wraps 64 bits", post("Content-Length: 18446744073709551619\r\n", "abc"), 400},
  {"CL underscores", post("Content-Length: 3_0\r\n", "abc"), 400},
  {"CL trailing control", post("Content-Length: 3\v\r\n", "abc"), 400},
  // Transfer codings.
  {"two TE", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
   400},
  {"TE identity", post("Transfer-Encoding: identity\r\n"), 501},
  {"TE gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), 501},
  {"TE chunked, identity", post("Transfer-Encoding: chunked, identity\r\n"), 501},
  {"TE xchunked", post("Transfer-Encoding: xchunked\r\n"), 501},
  {"TE quoted", post("Transfer-Encoding: \"chunked\"\r\n"), 501},
  {"TE with a parameter", post("Transfer-Encoding: chunked;q=1\r\n"), 501},
  {"TE empty", post("Transfer-Encoding:\r\n"), 501},
  {"TE vertical tab", post("Transfer-Encoding: \vchunked\r\n"), 400},
  {"TE space before colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400},
  {"TE tab before colon", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), 400},
  {"TE in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
  {"TE folded", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 501},
  {"TE in capitals is chunked", post("TRANSFER-ENCODING: CHUNKED\r\n", "0\r\n\r\n"), 0},
  // Line ends and control characters.
  {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
  {"bare LF after a header", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
  {"bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
  {"bare CR in a value", get("X: a\rb\r\n"), 400},
  {"bare CR as a line end", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400},
  {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
  {"NUL in a value", get("X: a\0b\r\n"sv), 400},
  {"NUL in a name", get("X\0Y: a\r\n"sv), 400},
  {"DEL in a value", get("X: a\x7F\r\n"), 400},
  {"obs-fold with a space", get("X: a\r\n b\r\n"), 400},
  {"obs-fold with a tab", get("X: a\r\n\tb\r\n"), 400},
  {"fold before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
  {"no colon", get("nonsense\r\n"), 400},
  {"empty name", get(": x\r\n"), 400},
  {"space in a name", get("X Y: x\r\n"), 400},
  {"line before the request", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  // The request line.
  {"HTTP/0.9", "GET /\r\n\r\n", 400},
  {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
  {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
  {"http/1.1 in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
  {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
  {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
  {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"tab as separator", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"leading space", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"trailing space", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
  {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"absolute form", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"authority form", "CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
  {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
  {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
  {"method with a colon", "GE:T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"raw 8-bit target", "GET /\xC3\xA4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n"s, 400},
  // Paths that two readers take for different things.
  {"escaped slash", "GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"escaped backslash", "GET /a%5cb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"dot segments", "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"escaped dot segments", "GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"escaped NUL", "GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"escaped CR LF", "GET /a%0d%0aX:y HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"broken escape", "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"escape without digits", "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"overlong UTF-8", "GET /%c0%af HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  {"escaped CR LF in the query", "GET /?a=%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  // The host.
  {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
  {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
  {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
  {"host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
  {"host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
  // Chunks.
  {"chunk size with 0x", post("Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n0\r\n\r\n"), 400},
  {"chunk size with a sign", post("Transfer-Encoding: chunked\r\n", "+3\r\nabc\r\n0\r\n\r\n"), 400},
  {"negative chunk size", post("Transfer-Encoding: chunked\r\n", "-3\r\nabc\r\n0\r\n\r\n"), 400},
  {"space after the chunk size", post("Transfer-Encoding: chunked\r\n", "3 \r\nabc\r\n0\r\n\r\n"),
   400},
  {"empty chunk size", post("Transfer-Encoding: chunked\r\n", "\r\nabc\r\n0\r\n\r\n"), 400},
  {"chunk size wraps", post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\nabc\r\n"), 400},
  {"chunk size of 2^64 + 3", post("Transfer-Encoding: chunked\r\n", "10000000000000003\r\nabc"),
   400},
  {"many leading zeros", post("Transfer-Encoding: chunked\r\n", "0000000003\r\nabc\r\n0\r\n\r\n"),
   400},
  {"chunk line ends in LF", post("Transfer-Encoding: chunked\r\n", "3\nabc\r\n0\r\n\r\n"), 400},
  {"chunk is longer than its size",
   post("Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n"), 400},
  {"chunk is shorter than its size",
   post("Transfer-Encoding: chunked\r\n", "5\r\nabc\r\n0\r\n\r\n"), 400},
  {"no CR LF after a chunk", post("Transfer-Encoding: chunked\r\n", "3\r\nabc0\r\n\r\n"), 400},
  {"LF after a chunk", post("Transfer-Encoding: chunked\r\n", "3\r\nabc\n0\r\n\r\n"), 400},
  {"control in a chunk extension",
   post("Transfer-Encoding: chunked\r\n", "3;a\rb\r\nabc\r\n0\r\n\r\n"), 400},
  {"NUL in a chunk extension",
   post("Transfer-Encoding: chunked\r\n", "3;a\0\r\nabc\r\n0\r\n\r\n"sv), 400},
  {"endless chunk extension", post("Transfer-Encoding: chunked\r\n", "3;" + std::string(300, 'x')),
   400},
  {"malformed trailer", post("Transfer-Encoding: chunked\r\n", "0\r\nX Y: z\r\n\r\n"), 400},
  {"folded trailer", post("Transfer-Encoding: chunked\r\n", "0\r\nX: z\r\n y\r\n\r\n"), 400},
  {"trailer ends in LF", post("Transfer-Encoding: chunked\r\n", "0\r\nX: z\n\r\n"), 400},
  // Others whose repetition or content steers.
  {"two authorizations", get("Authorization: a\r\nAuthorization: b\r\n"), 400},
  {"compressed body", post("Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x"), 415},
  {"unknown expectation", post("Expect: 200-ok\r\nContent-Length: 1\r\n", "x"), 417},
};

} // namespace

TEST_CASE("what two parsers could read differently is refused", "[unit][http]") {
  for (const auto& x : smuggling) {
    INFO(x.what);
    CHECK(read_all(x.bytes).status == x.status);
    for (auto piece : {1, 2, 3, 7})
      CHECK(read_pieces(x.bytes, static_cast<size_t>(piece)).status == x.status);
  }
  CHECK(std::size(smuggling) >= 60);
}

TEST_CASE("the judgement does not depend on how the bytes arrive", "[unit][http]") {
  auto stream =
    get("Accept: */*\r\n") + post("Content-Length: 5\r\n", "hello")
    + post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: v\r\n\r\n")
    + get("");
  const auto whole = read_all(stream);
  CHECK(whole == judgement{0, 4, "helloabc0123456789"});
  for (auto piece = size_t{1}; piece < stream.size(); ++piece)
    CHECK(read_pieces(stream, piece) == whole);
}

TEST_CASE("a head is decoded once", "[unit][http]") {
  const auto limits = http_options{};
  auto framer = request_framer{limits};
  auto text =
    "GET /jobs/a%20b%C3%A4?x=1%2B2&y=a+b&x=3&flag HTTP/1.1\r\nHost: [::1]:80\r\nX-One:  a \t\r\n"
    "Connection: foo, Close\r\nExpect: 100-Continue\r\n\r\n"s;
  auto bytes = std::string_view{text};
  REQUIRE(framer.feed(bytes) == request_framer::state::judge);
  const auto& head = framer.head();
  CHECK(head.path == "/jobs/a b\xC3\xA4");
  CHECK(head.query
        == std::multimap<std::string, std::string>{
          {"x", "1+2"}, {"y", "a b"}, {"x", "3"}, {"flag", ""}});
  CHECK(head.headers.find("x-one")->second == "a");
  CHECK_FALSE(head.keep_alive);
  CHECK(head.expects_continue);
  CHECK(framer.admit(0) == request_framer::state::complete);
}

TEST_CASE("a head stays within its limits", "[unit][http]") {
  auto many = std::string{};
  for (auto i = 0; i < 101; ++i)
    many += "X" + std::to_string(i) + ": y\r\n";
  CHECK(read_all(get(many)).status == 431);
  CHECK(read_all(get("X: " + std::string(9000, 'y') + "\r\n")).status == 431);
  CHECK(read_all(get("X: " + std::string(7000, 'y') + "\r\n")).status == 0);
  auto three = "X: " + std::string(7000, 'y') + "\r\n";
  CHECK(read_all(get(three + three + three)).status == 431);
  CHECK(read_all("GET /" + std::string(8100, 'y') + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 414);
  CHECK(read_all("GET /" + std::string(9000, 'y')).status == 414);
}

TEST_CASE("an endless line costs no more memory than its limit", "[unit][http]") {
  const auto limits = http_options{};
  for (auto start : {""s, "GET / HTTP/1.1\r\nX: "s}) {
    auto framer = request_framer{limits};
    auto first = std::string_view{start};
    framer.feed(first);
    auto most = size_t{0};
    const auto piece = std::string(1000, 'y');
    for (auto i = 0; i < 1000 && framer.now() == request_framer::state::head; ++i) {
      auto bytes = std::string_view{piece};
      framer.feed(bytes);
      most = std::max(most, framer.held());
    }
    CHECK(framer.now() == request_framer::state::refused);
    CHECK(most <= 2 * limits.max_header_bytes);
  }
}

TEST_CASE("a body over its limit is refused before it is read", "[unit][http]") {
  CHECK(read_pieces(post("Content-Length: 11\r\n"), 1000, 10).status == 413);
  CHECK(read_pieces(post("Content-Length: 10\r\n", "0123456789"), 1000, 10).status == 0);
  CHECK(read_pieces(post("Transfer-Encoding: chunked\r\n", "b\r\n"), 1000, 10).status == 413);
  CHECK(read_pieces(post("Transfer-Encoding: chunked\r\n", "6\r\n012345\r\n5\r\n"), 1000, 10).status
        == 413);
  CHECK(read_pieces(post("Transfer-Encoding: chunked\r\n", "ffffffff\r\n"), 1000, 10).status
        == 413);
}

TEST_CASE("an announced body takes memory as it comes, not before", "[unit][http]") {
  const auto limits = http_options{};
  auto framer = request_framer{limits};
  auto text = post("Content-Length: 1000000\r\n", "abc");
  auto bytes = std::string_view{text};
  framer.feed(bytes);
  framer.admit(1 << 20);
  framer.feed(bytes);
  CHECK(framer.now() == request_framer::state::body);
  CHECK(framer.held() < 8192);
}
