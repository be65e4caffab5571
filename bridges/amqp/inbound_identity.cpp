#include "bridges/amqp/inbound_desk.hpp"
#include "bridges/amqp/letter_headers.hpp"
#include "bridges/amqp/table.hpp"
#include "messages/time.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdio>

namespace troupe {

namespace {

constexpr auto longest_plain_id = size_t{240};

std::string hash_text(std::string_view key, std::string_view text) {
  // The key's own hash as the seed: no two pairs share their bytes by accident.
  auto seed = XXH3_64bits(key.data(), key.size());
  auto hash = XXH3_128bits_withSeed(text.data(), text.size(), seed);
  char out[33];
  std::snprintf(out, sizeof out, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return out;
}

/// Words of a pattern that are no wildcards; a pattern without any counts least.
size_t plain_words(std::string_view pattern) {
  auto out = size_t{0};
  while (!pattern.empty()) {
    auto word = pattern.substr(0, pattern.find('.'));
    out += word == "*" ? 1 : word == "#" ? 0 : 100;
    pattern.remove_prefix(std::min(pattern.size(), word.size() + 1));
  }
  return out;
}

} // namespace

bool key_matches(std::string_view pattern, std::string_view key) {
  // Where "#" was met last, and what of the key it has not taken yet: one place to come back
  // to is enough, so the time is bounded by the product of both lengths.
  auto words = [](std::string_view text) {
    auto out = std::vector<std::string_view>{};
    for (auto at = size_t{0}; at <= text.size();) {
      auto end = std::min(text.find('.', at), text.size());
      out.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return out;
  };
  auto want = words(pattern);
  auto have = key.empty() ? std::vector<std::string_view>{} : words(key);
  auto w = size_t{0};
  auto h = size_t{0};
  auto back_w = std::string_view::npos;
  auto back_h = size_t{0};
  while (h < have.size()) {
    if (w < want.size() && want[w] == "#") {
      back_w = w++;
      back_h = h;
    } else if (w < want.size() && (want[w] == "*" || want[w] == have[h])) {
      ++w;
      ++h;
    } else if (back_w != std::string_view::npos) {
      w = back_w + 1;
      h = ++back_h;
    } else {
      return false;
    }
  }
  while (w < want.size() && want[w] == "#")
    ++w;
  return w == want.size() || (have.empty() && pattern.empty());
}

const inbound_handler* handler_for(const consumed_queue& queue, std::string_view key) {
  auto out = static_cast<const inbound_handler*>(nullptr);
  auto best = size_t{0};
  for (const auto& [pattern, handler] : queue.handlers) {
    auto words = pattern == key ? SIZE_MAX : plain_words(pattern) + 1;
    if (words > best && key_matches(pattern, key)) {
      best = words;
      out = handler;
    }
  }
  return out;
}

bool identify(inbound_message& x) {
  x.digest = XXH3_64bits(x.body.data(), x.body.size());
  // A letter that is replayed came by another way, and is what it was before.
  if (x.exchange.empty())
    if (auto key = header_text(x.headers, letter_routing_key)) {
      x.routing_key = std::move(*key);
      x.exchange = header_text(x.headers, letter_exchange).value_or("");
    }
  auto source = "amqp/" + x.queue + '/';
  if (x.message_id.empty()) {
    x.id = source + '#' + hash_text(x.routing_key, x.body);
    return true;
  }
  x.id = source + x.message_id;
  if (x.id.size() > longest_plain_id)
    x.id = source + "id#" + hash_text({}, x.message_id);
  return false;
}

publication dead_letter_of(const inbound_message& x, const std::string& queue,
                           const caf::error& why) {
  auto parts = explain(why);
  auto out = publication{};
  out.routing_key = queue;
  out.body = x.body;
  out.type = x.type;
  out.content_type = x.content_type;
  out.content_encoding = x.content_encoding;
  out.correlation_id = x.correlation_id;
  out.reply_to = x.reply_to;
  out.message_id = x.message_id;
  out.app_id = x.app_id;
  out.time = x.sent;
  out.kept_headers = x.headers;
  out.headers = {{letter_reason, to_string(parts.code)},
                 {letter_text, one_line(why).substr(0, 1024)},
                 {letter_queue, x.queue},
                 {letter_exchange, x.exchange},
                 {letter_routing_key, x.routing_key},
                 {letter_time, to_iso8601(now())}};
  return out;
}

} // namespace troupe
