#include "nodes/cli/redis_client.hpp"

#include <hiredis/hiredis.h>

#include <charconv>
#include <cstdlib>
#include <optional>

namespace troupe::cli {

namespace {

struct reply_closer {
  void operator()(redisReply* reply) const {
    freeReplyObject(reply);
  }
};
using redis_reply = std::unique_ptr<redisReply, reply_closer>;

struct redis_address {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string password;
  std::string database;
};

std::optional<redis_address> parse_redis_url(std::string_view text) {
  constexpr auto scheme = std::string_view{"redis://"};
  if (!text.starts_with(scheme))
    return std::nullopt;
  text.remove_prefix(scheme.size());
  auto out = redis_address{};
  if (auto at = text.rfind('@'); at != std::string_view::npos) {
    auto colon = text.find(':'); // a name before it is nobody's: Redis 5 has none
    if (colon < at)
      out.password = text.substr(colon + 1, at - colon - 1);
    text.remove_prefix(at + 1);
  }
  if (auto slash = text.find('/'); slash != std::string_view::npos) {
    out.database = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  if (auto colon = text.rfind(':'); colon != std::string_view::npos && text.back() != ']') {
    auto digits = text.substr(colon + 1);
    auto [end, err] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (err != std::errc{} || end != digits.data() + digits.size() || out.port < 1
        || out.port > 65535)
      return std::nullopt;
    text = text.substr(0, colon);
  }
  if (text.size() > 2 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  if (!text.empty())
    out.host = text;
  return out;
}

redis_reply call(redisContext* to, const std::vector<std::string>& words) {
  auto texts = std::vector<const char*>{};
  auto sizes = std::vector<size_t>{};
  for (const auto& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  return redis_reply{static_cast<redisReply*>(
    redisCommandArgv(to, static_cast<int>(words.size()), texts.data(), sizes.data()))};
}

/// What is wrong with an answer, if anything. Redis puts a word in capitals first.
caf::error fault_in(redisContext* of, const redisReply* reply) {
  if (reply == nullptr)
    return fault_at(ec::unavailable, "redis", of->errstr);
  if (reply->type != REDIS_REPLY_ERROR)
    return {};
  auto text = std::string{reply->str, reply->len};
  auto is_secret = text.starts_with("NOAUTH") || text.starts_with("WRONGPASS")
                   || text.find("invalid password") != std::string::npos;
  return fault_at(is_secret                       ? ec::unauthorized
                  : text.starts_with("WRONGTYPE") ? ec::conflict
                                                  : ec::unavailable,
                  "redis", text);
}

} // namespace

void redis_client::closer::operator()(redisContext* context) const {
  redisFree(context);
}

caf::expected<redis_client> redis_client::open(const std::string& url) {
  // Others on the machine can read what stands in a command.
  const auto* given = url == "env" ? std::getenv("REDIS_URL") : url.c_str();
  auto to = parse_redis_url(given == nullptr ? "" : given);
  if (!to) // without repeating it: there may be a password in it
    return fault_at(ec::invalid_argument, "--redis",
                    "must be redis://[:PASSWORD@]HOST[:PORT][/DATABASE]");
  const auto limit = timeval{10, 0};
  auto out = redis_client{redisConnectWithTimeout(to->host.c_str(), to->port, limit)};
  auto* context = out.context_.get();
  if (context == nullptr || context->err != 0)
    return fault_at(ec::unavailable, to->host + ':' + std::to_string(to->port),
                    context == nullptr ? "out of memory" : context->errstr);
  redisSetTimeout(context, limit);
  if (!to->password.empty())
    if (auto why = fault_in(context, call(context, {"AUTH", to->password}).get()))
      return why;
  if (!to->database.empty())
    if (auto why = fault_in(context, call(context, {"SELECT", to->database}).get()))
      return why;
  return out;
}

caf::expected<std::vector<std::pair<std::string, std::string>>>
redis_client::hash(const std::string& key) {
  auto reply = call(context_.get(), {"HGETALL", key});
  if (auto why = fault_in(context_.get(), reply.get()))
    return why;
  auto out = std::vector<std::pair<std::string, std::string>>{};
  auto text = [&](size_t i) {
    const auto* x = reply->element[i];
    return x->type == REDIS_REPLY_STRING ? std::string{x->str, x->len} : std::string{};
  };
  for (auto i = size_t{0}; i + 1 < reply->elements; i += 2)
    out.emplace_back(text(i), text(i + 1));
  return out;
}

void redis_client::queue(const std::vector<std::string>& words) {
  auto texts = std::vector<const char*>{};
  auto sizes = std::vector<size_t>{};
  for (const auto& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(),
                         sizes.data());
  ++queued_;
}

caf::error redis_client::flush() {
  auto out = caf::error{};
  for (; queued_ > 0; --queued_) {
    void* reply = nullptr;
    redisGetReply(context_.get(), &reply);
    auto owned = redis_reply{static_cast<redisReply*>(reply)};
    auto why = fault_in(context_.get(), owned.get());
    if (!out)
      out = std::move(why);
    if (!owned) // the connection is broken, nothing more will come
      break;
  }
  queued_ = 0;
  return out;
}

} // namespace troupe::cli
