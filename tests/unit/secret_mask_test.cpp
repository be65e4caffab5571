#include "actors/runners/secret_mask.hpp"

#include <catch2/catch.hpp>

using troupe::secret_mask;

namespace {

/// Feeds `text` in pieces of `size` bytes.
std::string in_pieces(secret_mask& mask, std::string_view text, size_t size) {
  auto out = std::string{};
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size())))
    out += mask.feed(text.substr(0, size));
  return out + mask.flush();
}

} // namespace

TEST_CASE("a secret is masked wherever the stream is cut") {
  auto text = std::string{"a hunter2hunter b hunter2 c\n"};
  for (auto size = size_t{1}; size <= text.size(); ++size) {
    auto mask = secret_mask{};
    mask.add("hunter2");
    CHECK(in_pieces(mask, text, size) == "a [masked]hunter b [masked] c\n");
  }
}

TEST_CASE("overlapping secrets leave no part visible") {
  for (auto size = size_t{1}; size < 12; ++size) {
    auto mask = secret_mask{};
    mask.add("abcdef");
    mask.add("defghi");
    mask.add("abcd");
    CHECK(in_pieces(mask, "x abcdefghi y abcdx", size) == "x [masked] y [masked]x");
  }
}

TEST_CASE("only what may become a secret is held back") {
  auto mask = secret_mask{};
  mask.add("hunter2");
  CHECK(mask.feed("line without it\n") == "line without it\n");
  CHECK(mask.feed("hun") == "");
  CHECK(mask.feed("dred") == "hundred");
  CHECK(mask.feed("hunter") == "");
  CHECK(mask.flush() == "hunter");
}

TEST_CASE("each long line of a secret is a secret") {
  auto mask = secret_mask{};
  mask.add("-----BEGIN KEY-----\nMIIEvQIBADANBg\nshort\n");
  CHECK(mask.apply("key: MIIEvQIBADANBg short") == "key: [masked] short");
}

TEST_CASE("very short texts are not masked") {
  auto mask = secret_mask{};
  mask.add("");
  mask.add("yes");
  CHECK(mask.apply("yes or no") == "yes or no");
}

TEST_CASE("the user part of a URL is masked wherever the stream is cut") {
  auto text = std::string{"get https://user:p%40ss@host/x?a=b@c http://plain/ ssh://git@h: a://"};
  for (auto size = size_t{1}; size <= text.size(); ++size) {
    auto mask = secret_mask{};
    CHECK(in_pieces(mask, text, size)
          == "get https://[masked]@host/x?a=b@c http://plain/ ssh://[masked]@h: a://");
  }
}

TEST_CASE("a text without an end of the user part is released after 512 bytes") {
  auto mask = secret_mask{};
  CHECK(mask.feed("a://").size() == 1);
  CHECK(mask.feed(std::string(600, 'x')).size() == 603);
}

TEST_CASE("many secrets are masked like a few", "[unit][testing]") {
  auto all = secret_mask{};
  auto long_one = std::string{};
  for (auto i = 0; i < 50'000; ++i)
    long_one += std::to_string(10'000'000 + i) + '\n';
  all.add(long_one);
  all.add("1000");        // begins many of them
  all.add("10000042-and"); // one of them begins it
  CHECK(all.apply("x10000041x") == "x[masked]x");
  CHECK(all.apply("x10000042-andx") == "x[masked]x");
  CHECK(all.apply("x10000042-anx") == "x[masked]-anx");
  CHECK(all.apply("x1000x") == "x[masked]x");
  CHECK(all.apply("x100x") == "x100x");
  CHECK(all.apply("x99999999x") == "x99999999x");
  auto text = std::string{};
  for (auto i = 0; i < 100'000; ++i)
    text += "123456";
  CHECK(all.apply(text) == text);
}
