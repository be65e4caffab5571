#include "actors/runners/docker/engine_connection.hpp"
#include "actors/runners/docker/engine_stream.hpp"
#include "actors/runners/docker/reply_reader.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace troupe;

namespace {

struct read_reply {
  reply_reader reader;
  std::string body;
  size_t used = 0;
};

/// Feeds the bytes in two parts.
read_reply read_split(std::string_view bytes, size_t at) {
  auto out = read_reply{};
  out.used = out.reader.feed(bytes.substr(0, at), out.body);
  if (out.used == at)
    out.used += out.reader.feed(bytes.substr(at), out.body);
  return out;
}

using frame_list = std::vector<std::pair<int, std::string>>;

/// Returns the output with neighboring pieces of one stream joined.
frame_list read_frames(const std::vector<std::string_view>& pieces, engine_stream& reader) {
  auto out = frame_list{};
  for (auto piece : pieces)
    reader.feed(piece, [&out](int stream, std::string_view text) {
      if (out.empty() || out.back().first != stream)
        out.emplace_back(stream, "");
      out.back().second += text;
    });
  return out;
}

std::string frame(char stream, std::string_view text) {
  auto n = static_cast<uint32_t>(text.size());
  auto out = std::string{stream, 0, 0, 0};
  for (auto shift : {24, 16, 8, 0})
    out.push_back(static_cast<char>(n >> shift));
  return out.append(text);
}

} // namespace

TEST_CASE("an answer means the same wherever it is cut") {
  struct sample {
    std::string_view bytes;
    int status;
    std::string_view body;
    bool keeps_alive;
  };
  auto samples = {
    sample{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
    sample{"HTTP/1.1 201 Created\r\nTransfer-Encoding: "
           "chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n"
           "Trailer: x\r\n\r\n",
           201, "abc0123456789", true},
    sample{"HTTP/1.1 204 No Content\r\nApi-Version: 1.41\r\n\r\n", 204, "", true},
    sample{"HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", true},
    sample{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "",
           true},
    sample{"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
           500, "{}", false},
  };
  for (const auto& s : samples)
    for (auto at = size_t{0}; at <= s.bytes.size(); ++at) {
      auto got = read_split(s.bytes, at);
      INFO(s.bytes << " cut at " << at);
      CHECK(got.reader.complete());
      CHECK(got.reader.status() == s.status);
      CHECK(got.body == s.body);
      CHECK(got.reader.keeps_alive() == s.keeps_alive);
      CHECK(got.used == s.bytes.size());
    }
}

TEST_CASE("an answer without a length ends with the connection, an upgraded one too") {
  for (const auto* head :
       {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n"}) {
    auto got = read_split(std::string{head} + "frames", 10);
    CHECK(got.reader.has_head());
    CHECK_FALSE(got.reader.complete());
    CHECK(got.body == "frames");
    got.reader.end_of_input();
    CHECK(got.reader.complete());
    CHECK_FALSE(got.reader.keeps_alive());
  }
}

TEST_CASE("bytes after a whole answer are left alone") {
  auto got = read_split("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 ", 200);
  CHECK(got.reader.complete());
  CHECK(got.body == "x");
  CHECK(got.used == 39);
}

TEST_CASE("nonsense and endless heads break the answer instead of filling memory") {
  for (const auto* bytes :
       {"SSH-2.0-x\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"}) {
    INFO(bytes);
    CHECK(read_split(bytes, std::string_view{bytes}.size()).reader.broken());
  }
  CHECK(read_split("HTTP/1.1 200 OK\r\n" + std::string(100'000, 'a'), 50'000).reader.broken());
  auto many = std::string{"HTTP/1.1 200 OK\r\n"};
  for (auto i = 0; i < 10'000; ++i)
    many += "Name" + std::to_string(i) + ": x\r\n";
  CHECK(read_split(many, 1000).reader.broken());
}

TEST_CASE("an answer that is cut off is broken") {
  auto got = read_split("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 20);
  got.reader.end_of_input();
  CHECK(got.reader.broken());
}

TEST_CASE("headers are found by lower-case name") {
  auto got = read_split("HTTP/1.1 200 OK\r\nContent-TYPE:  a/b \r\nContent-Length: 0\r\n\r\n", 5);
  CHECK(got.reader.header("content-type") == "a/b");
  CHECK(got.reader.header("other").empty());
}

TEST_CASE("a stream of frames means the same wherever it is cut") {
  auto bytes = frame(1, "out") + frame(2, "error") + frame(1, "") + frame(1, std::string(300, 'x'));
  auto expected = frame_list{{1, "out"}, {2, "error"}, {1, std::string(300, 'x')}};
  for (auto at = size_t{0}; at <= bytes.size(); ++at) {
    auto reader = engine_stream{};
    auto text = std::string_view{bytes};
    CHECK(read_frames({text.substr(0, at), text.substr(at)}, reader) == expected);
    CHECK(reader.between_frames());
  }
}

TEST_CASE("the longest frame passes in pieces and is never held") {
  auto reader = engine_stream{};
  auto head = std::string("\1\0\0\0\xff\xff\xff\xff", 8);
  auto seen = uint64_t{0};
  auto count = [&seen](int stream, std::string_view text) {
    CHECK(stream == 1);
    seen += text.size();
  };
  CHECK(reader.feed(head, count));
  auto piece = std::string(size_t{1} << 20, 'x');
  for (auto i = 0; i < 4096; ++i)
    reader.feed(i == 4095 ? std::string_view{piece}.substr(1) : std::string_view{piece}, count);
  CHECK(seen == UINT32_MAX);
  CHECK(reader.between_frames());
}

TEST_CASE("a frame that was cut off is noticed") {
  auto reader = engine_stream{};
  read_frames({std::string_view{"\1\0\0\0\0\0\0\5ab", 10}}, reader);
  CHECK_FALSE(reader.between_frames());
}

TEST_CASE("bytes that are no frames stop the stream") {
  auto reader = engine_stream{};
  CHECK_FALSE(reader.feed("plain text, no frames", [](int, std::string_view) {}));
  auto padded = engine_stream{};
  CHECK_FALSE(
    padded.feed(std::string_view{"\1\0\7\0\0\0\0\1x", 9}, [](int, std::string_view) { FAIL(); }));
}

TEST_CASE("a request says what it carries") {
  CHECK(request_bytes({"GET", "/_ping", {}})
        == "GET /v1.41/_ping HTTP/1.1\r\nHost: engine\r\n\r\n");
  CHECK(request_bytes({"POST", "/x", {}})
        == "POST /v1.41/x HTTP/1.1\r\nHost: engine\r\nContent-Length: 0\r\n\r\n");
  CHECK(request_bytes({"PUT", "/x", "abc", "application/x-tar"})
        == "PUT /v1.41/x HTTP/1.1\r\nHost: engine\r\nContent-Type: application/x-tar\r\n"
           "Content-Length: 3\r\n\r\nabc");
}

TEST_CASE("a query keeps no character that means something in a URL") {
  CHECK(encode_query("debian:12") == "debian%3A12");
  CHECK(encode_query("/a b&c=d?e#f%\r\n") == "%2Fa%20b%26c%3Dd%3Fe%23f%25%0D%0A");
  CHECK(encode_query("A-z_0.9~") == "A-z_0.9~");
}
