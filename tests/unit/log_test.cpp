#include "config/log_line.hpp"
#include "config/printable.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

const auto at = caf::timestamp{std::chrono::milliseconds{1795237380123}};

std::string line(std::string_view message, std::initializer_list<log_field> fields = {},
                 std::vector<std::string> secrets = {}) {
  return log_line(at, log_level::info, {"core-1", std::move(secrets)}, "job_ledger", message,
                  fields);
}

const auto head =
  std::string{"ts=2026-11-21T05:03:00.123Z level=info node=core-1 actor=job_ledger "};

} // namespace

TEST_CASE("a line has time, level, node, actor, message and fields in this order") {
  CHECK(line("job queued", {{"job", "42"}, {"queue", "docker-x86_64-0"}, {"n", 7}})
        == head + "msg=\"job queued\" job=42 queue=docker-x86_64-0 n=7");
}

TEST_CASE("a value cannot end its field or its line") {
  CHECK(line("x", {{"a", "q\" level=error"}}) == head + "msg=x a=\"q\\\" level=error\"");
  CHECK(line("x", {{"a", "one\ntwo\r\t\x1b[31m"}})
        == head + "msg=x a=\"one\\ntwo\\r\\t\\x1b[31m\"");
  CHECK(line("x", {{"a", ""}}) == head + "msg=x a=\"\"");
  CHECK(line("x", {{"a", "back\\nslash"}}) == head + "msg=x a=\"back\\\\nslash\"");
}

TEST_CASE("announced secrets are masked, longer ones first") {
  CHECK(line("x", {{"a", "token=abcdefgh abcd"}}, {"abcdefgh", "abcd"})
        == head + "msg=x a=\"token=[masked] [masked]\"");
}

TEST_CASE("a secret is masked before a long value is cut") {
  auto value = std::string(4090, 'x') + "top-secret-text";
  auto out = line("x", {{"a", value}}, {"top-secret-text"});
  CHECK(out.find("top-se") == std::string::npos);
  CHECK(out.size() < 4300);
}

TEST_CASE("user and password of a URL are masked") {
  CHECK(without_userinfo("GET https://user:pa%40ss@host/p?q=a@b and amqp://u@h")
        == "GET https://[masked]@host/p?q=a@b and amqp://[masked]@h");
  CHECK(without_userinfo("https://host/a@b") == "https://host/a@b");
  CHECK(line("x", {{"u", "https://me:pw@h/"}}) == head + "msg=x u=https://[masked]@h/");
}

TEST_CASE("text for eyes has no control characters, hidden marks or broken UTF-8") {
  CHECK(printable("plain äöü 日本 😀") == "plain äöü 日本 😀");
  CHECK(printable("\x1b]8;;http://evil\x07") == "\\x1b]8;;http://evil\\x07");
  CHECK(printable("a\xc2\x9b"
                  "31m")
        == "a\\u{009b}31m");
  CHECK(printable("abc\u202Edef") == "abc\\u{202e}def");
  CHECK(printable("\xff\xc3(\xed\xa0\x80\xc0\x80") == "\\xff\\xc3(\\xed\\xa0\\x80\\xc0\\x80");
  CHECK(printable("a\nb\tc", "\n\t") == "a\nb\tc");
  CHECK(printable("\xf0\x9f") == "\\xf0\\x9f");
}
