#include "bridges/http/jwt.hpp"

#include "bridges/http/jwt_claims.hpp"
#include "bridges/http/jwt_signature.hpp"
#include "bridges/http/revocation_list.hpp"
#include "messages/ids.hpp"
#include "messages/json.hpp"
#include "messages/time.hpp"

#include <openssl/evp.h>
#include <strings.h>

#include <array>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace troupe {

using token_hash = std::array<unsigned char, 32>;

struct token_hash_prefix {
  size_t operator()(const token_hash& x) const {
    auto out = size_t{};
    std::memcpy(&out, x.data(), sizeof out);
    return out;
  }
};

namespace {

constexpr size_t max_token = 8192;
constexpr auto max_leeway = std::chrono::seconds{60};
constexpr auto max_life = std::chrono::hours{24 * 90};

caf::error token_refused(const char* reason) {
  return fault(ec::unauthorized, reason);
}

int64_t seconds_of(caf::timestamp t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

} // namespace

struct jwt::state {
  explicit state(jwt_options o) : options{std::move(o)}, revoked{options.revoked_file} {}

  const jwt_signer* key_for(const jwt_header& header) const {
    if (header.key_id.empty() && signers.size() == 1)
      return &signers.front();
    for (const auto& x : signers)
      if (x.id() == header.key_id)
        return &x;
    return nullptr;
  }

  caf::expected<identity> check(std::string_view token, caf::timestamp at) const;
  std::optional<identity> remembered(const token_hash& hash);
  void remember(const token_hash& hash, const identity& who, caf::timestamp at);

  jwt_options options;
  std::vector<jwt_signer> signers;
  revocation_list revoked;
  /// Fetched once: OpenSSL looks an algorithm up by name at every use otherwise.
  std::unique_ptr<EVP_MD, decltype(&::EVP_MD_free)> sha256{
    ::EVP_MD_fetch(nullptr, "SHA256", nullptr), &::EVP_MD_free};
  std::mutex mutex;
  std::unordered_map<token_hash, identity, token_hash_prefix> verified;
};

/// Everything but revocation.
caf::expected<identity> jwt::state::check(std::string_view token, caf::timestamp at) const {
  auto first = token.find('.');
  auto second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos)
    return token_refused("malformed token");
  auto head = from_base64url(token.substr(0, first));
  auto claims = from_base64url(token.substr(first + 1, second - first - 1));
  auto signature = from_base64url(token.substr(second + 1));
  if (!head || !claims || !signature)
    return token_refused("malformed token");
  auto header = read_jwt_header(*head);
  if (!header)
    return std::move(header.error());
  auto key = key_for(*header);
  if (key == nullptr)
    return token_refused("unknown key");
  // The key decides about the algorithm; the token may only agree. Source: RFC 8725 3.1.
  if (header->algorithm != name_of(key->algorithm()))
    return token_refused("wrong algorithm");
  if (!key->verify(token.substr(0, second), *signature))
    return token_refused("bad signature");
  return read_jwt_claims(*claims, key->algorithm(), options, at);
}

std::optional<identity> jwt::state::remembered(const token_hash& hash) {
  auto lock = std::lock_guard{mutex};
  auto i = verified.find(hash);
  return i == verified.end() ? std::nullopt : std::optional{i->second};
}

void jwt::state::remember(const token_hash& hash, const identity& who, caf::timestamp at) {
  auto lock = std::lock_guard{mutex};
  if (verified.size() >= options.cache) {
    std::erase_if(verified, [&](const auto& x) {
      return x.second.expires != caf::timestamp{} && x.second.expires < at;
    });
    if (verified.size() >= options.cache)
      verified.clear();
  }
  if (options.cache > 0)
    verified.emplace(hash, who);
}

jwt::jwt(std::unique_ptr<state> s) : state_{std::move(s)} {}
jwt::jwt(jwt&&) noexcept = default;
jwt& jwt::operator=(jwt&&) noexcept = default;
jwt::~jwt() = default;

caf::expected<jwt> jwt::make(jwt_options options) {
  if (options.keys.empty())
    return fault(ec::invalid_config, "there is no token key");
  if (options.leeway < std::chrono::seconds{0} || options.leeway > max_leeway)
    return fault(ec::invalid_config, "the leeway for tokens must be 0s..60s");
  if (options.max_life <= std::chrono::hours{0} || options.max_life > max_life)
    return fault(ec::invalid_config, "tokens may live at most 90 days");
  auto s = std::make_unique<state>(std::move(options));
  for (const auto& key : s->options.keys) {
    auto signer = jwt_signer::make(key);
    if (!signer)
      return std::move(signer.error());
    for (const auto& other : s->signers)
      if (other.id() == key.id)
        return fault(ec::invalid_config, "two token keys have the same id");
    s->signers.push_back(std::move(*signer));
  }
  if (auto err = s->revoked.load())
    return err;
  if (!s->sha256)
    return fault(ec::unavailable, "OpenSSL has no SHA-256");
  return jwt{std::move(s)};
}

caf::expected<identity> jwt::verify(std::string_view token, caf::timestamp at) const {
  if (token.empty())
    return token_refused("missing token");
  if (token.size() > max_token)
    return token_refused("token too long");
  auto hash = token_hash{};
  auto size = 0u;
  if (::EVP_Digest(token.data(), token.size(), hash.data(), &size, state_->sha256.get(), nullptr)
      != 1)
    return fault(ec::unavailable, "hashing failed");
  auto who = identity{};
  if (auto known = state_->remembered(hash)) {
    if (known->expires != caf::timestamp{} && at >= known->expires + state_->options.leeway)
      return token_refused("expired");
    who = std::move(*known);
  } else {
    auto fresh = state_->check(token, at);
    if (!fresh)
      return fresh;
    who = std::move(*fresh);
    state_->remember(hash, who, at);
  }
  if (!who.token_id.empty() && state_->revoked.contains(who.token_id))
    return token_refused("revoked");
  return who;
}

caf::expected<identity> jwt::verify(std::string_view token) const {
  return verify(token, now());
}

caf::expected<identity> jwt::verify_header(std::string_view authorization) const {
  auto space = authorization.find(' ');
  auto scheme = authorization.substr(0, space);
  if (authorization.empty())
    return token_refused("missing token");
  if (scheme.size() != 6 || ::strncasecmp(scheme.data(), "bearer", 6) != 0
      || space == authorization.npos)
    return token_refused("not a bearer token");
  return verify(authorization.substr(authorization.rfind(' ') + 1));
}

caf::expected<std::string> jwt::issue(const jwt_claims& claims, caf::timestamp at) const {
  if (claims.subject.empty() || !obeys("line", claims.subject))
    return fault_at(ec::invalid_argument, "sub", "must not be empty");
  if (claims.level == token_level::none)
    return fault_at(ec::invalid_argument, "roles", "must be one of read, submit, admin");
  if (claims.life <= std::chrono::seconds{0} || claims.life > state_->options.max_life)
    return fault_at(ec::invalid_argument, "exp", "must be within the longest life of a token");
  const auto& key = state_->signers.front();
  auto header = json{{"alg", name_of(key.algorithm())}, {"typ", "JWT"}};
  if (!key.id().empty())
    header["kid"] = key.id();
  auto seconds = seconds_of(at);
  auto body = json{{"sub", claims.subject},
                   {"aud", state_->options.audience},
                   {"iat", seconds},
                   {"exp", seconds + claims.life.count()},
                   {"jti", claims.token_id.empty() ? random_token() : claims.token_id},
                   {"roles", {name_of(claims.level)}}};
  if (!state_->options.issuer.empty())
    body["iss"] = state_->options.issuer;
  auto text = to_base64url(json_text(header)) + '.' + to_base64url(json_text(body));
  auto signature = key.sign(text);
  if (!signature)
    return std::move(signature.error());
  return text + '.' + to_base64url(*signature);
}

caf::expected<std::string> jwt::issue(const jwt_claims& claims) const {
  return issue(claims, now());
}

std::string issue_alts_token(std::string_view secret, std::string_view email) {
  auto text = to_base64url(R"({"alg":"HS256","typ":"JWT"})") + '.'
              + to_base64url(json_text({{"email", email}}));
  return text + '.' + to_base64url(hmac_sha256(secret, text));
}

} // namespace troupe
