#include "bridges/http/jwt.hpp"
#include "bridges/http/jwt_signature.hpp"
#include "messages/json.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <thread>
#include <vector>

using namespace troupe;
using namespace std::literals;

namespace {

constexpr auto secret = "k9Zq3vWm8LrT1xYb6NcD4hJf7GsP2aEu"sv;
constexpr auto old_secret = "R5tYu8iOp1aSdF4gHjK7lZxC0vBnM3qW"sv;
constexpr auto start = int64_t{1'790'000'000};
const auto at_start = caf::timestamp{std::chrono::seconds{start}};

/// The test key pair of RFC 8037, appendix A.
const auto ed_private = *from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
const auto ed_public = *from_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");

/// A real RSA public key, as an attacker finds it in a JWKS.
constexpr auto rsa_public = R"(-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf
9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==
-----END PUBLIC KEY-----
)"sv;

jwt_options two_keys() {
  auto out = jwt_options{};
  out.keys = {{"now", jwt_algorithm::hs256, std::string{secret}, {}},
              {"old", jwt_algorithm::hs256, std::string{old_secret}, {}},
              {"ed", jwt_algorithm::eddsa, {}, ed_public}};
  return out;
}

jwt make(jwt_options options = two_keys()) {
  auto out = jwt::make(std::move(options));
  REQUIRE(out);
  return std::move(*out);
}

json good_claims() {
  return {{"sub", "anna"}, {"aud", "troupe"}, {"iss", "troupe"},     {"jti", "t-1"},
          {"iat", start},  {"nbf", start},    {"exp", start + 3600}, {"roles", {"submit"}}};
}

json with(json claims, const char* name, json value) {
  claims[name] = std::move(value);
  return claims;
}

json without(json claims, const char* name) {
  claims.erase(name);
  return claims;
}

std::string seal(std::string_view header, std::string_view claims, std::string_view key = secret) {
  auto text = to_base64url(header) + '.' + to_base64url(claims);
  return text + '.' + to_base64url(hmac_sha256(key, text));
}

std::string claims_token(const json& claims) {
  return seal(R"({"alg":"HS256","kid":"now","typ":"JWT"})", json_text(claims));
}

std::string header_token(std::string_view header, std::string_view key = secret) {
  return seal(header, json_text(good_claims()), key);
}

std::string refusal(const jwt& tokens, std::string_view token, caf::timestamp at = at_start) {
  auto who = tokens.verify(token, at);
  return who ? "accepted" : explain(who.error()).text;
}

std::string ed_token(std::string_view header, const json& claims) {
  auto signer = jwt_signer::make({"ed", jwt_algorithm::eddsa, ed_private, {}});
  REQUIRE(signer);
  auto text = to_base64url(header) + '.' + to_base64url(json_text(claims));
  return text + '.' + to_base64url(*signer->sign(text));
}

struct forged {
  const char* what;
  std::string token;
  const char* reason;
};

std::vector<forged> forged_tokens() {
  const auto good = claims_token(good_claims());
  const auto first = good.find('.');
  const auto second = good.rfind('.');
  const auto head = good.substr(0, first);
  const auto body = good.substr(first + 1, second - first - 1);
  const auto mac = good.substr(second + 1);
  const auto claims_text = json_text(good_claims());
  auto other_last = good;
  other_last.back() = other_last.back() == 'A' ? 'E' : 'A';
  auto stray_bits = good; // The last character of 32 bytes has two bits to spare.
  stray_bits.back() = static_cast<char>(stray_bits.back() + 1);
  auto out = std::vector<forged>{
    // No algorithm, or not the key's.
    {"alg none, no signature", to_base64url(R"({"alg":"none","kid":"now"})") + '.' + body + '.',
     "wrong algorithm"},
    {"alg none, old signature",
     to_base64url(R"({"alg":"none","kid":"now"})") + '.' + body + '.' + mac, "wrong algorithm"},
    {"alg None", header_token(R"({"alg":"None","kid":"now"})"), "wrong algorithm"},
    {"alg NONE", header_token(R"({"alg":"NONE","kid":"now"})"), "wrong algorithm"},
    {"alg nOnE", header_token(R"({"alg":"nOnE","kid":"now"})"), "wrong algorithm"},
    {"alg none with spaces", header_token(R"({"alg":"none ","kid":"now"})"), "wrong algorithm"},
    {"alg empty", header_token(R"({"alg":"","kid":"now"})"), "missing alg"},
    {"alg missing", header_token(R"({"kid":"now"})"), "missing alg"},
    {"alg null", header_token(R"({"alg":null,"kid":"now"})"), "header not allowed"},
    {"alg a list", header_token(R"({"alg":["HS256"],"kid":"now"})"), "header not allowed"},
    {"alg hs256 in lower case", header_token(R"({"alg":"hs256","kid":"now"})"), "wrong algorithm"},
    {"alg HS384", header_token(R"({"alg":"HS384","kid":"now"})"), "wrong algorithm"},
    {"alg HS512", header_token(R"({"alg":"HS512","kid":"now"})"), "wrong algorithm"},
    {"alg RS256", header_token(R"({"alg":"RS256","kid":"now"})"), "wrong algorithm"},
    {"alg ES256", header_token(R"({"alg":"ES256","kid":"now"})"), "wrong algorithm"},
    {"RSA public key as HS256 secret", header_token(R"({"alg":"HS256","kid":"now"})", rsa_public),
     "bad signature"},
    {"Ed25519 public key as HS256 secret", header_token(R"({"alg":"HS256","kid":"ed"})", ed_public),
     "wrong algorithm"},
    {"HS256 key called EdDSA", header_token(R"({"alg":"EdDSA","kid":"now"})"), "wrong algorithm"},
    {"HMAC under an EdDSA header", header_token(R"({"alg":"EdDSA","kid":"ed"})", ed_public),
     "bad signature"},
    {"EdDSA signature under an HS256 header",
     ed_token(R"({"alg":"HS256","kid":"now"})", good_claims()), "bad signature"},
    {"Ed25519 in place of EdDSA", ed_token(R"({"alg":"Ed25519","kid":"ed"})", good_claims()),
     "wrong algorithm"},
    // Signatures.
    {"no signature", head + '.' + body + '.', "bad signature"},
    {"short signature", head + '.' + body + '.' + mac.substr(0, 40), "bad signature"},
    {"doubled signature",
     head + '.' + body + '.' + to_base64url(*from_base64url(mac) + *from_base64url(mac)),
     "bad signature"},
    {"zero signature", head + '.' + body + '.' + to_base64url(std::string(32, '\0')),
     "bad signature"},
    {"another key", header_token(R"({"alg":"HS256","kid":"now"})", old_secret), "bad signature"},
    {"empty key", header_token(R"({"alg":"HS256","kid":"now"})", ""), "bad signature"},
    {"last character changed", other_last, "bad signature"},
    {"claims changed",
     head + '.' + to_base64url(json_text(with(good_claims(), "roles", {"admin"}))) + '.' + mac,
     "bad signature"},
    {"header changed", to_base64url(R"({"alg":"HS256","kid":"now"})") + '.' + body + '.' + mac,
     "bad signature"},
    {"zero EdDSA signature",
     to_base64url(R"({"alg":"EdDSA","kid":"ed"})") + '.' + body + '.'
       + to_base64url(std::string(64, '\0')),
     "bad signature"},
    // Keys.
    {"no kid among several keys", header_token(R"({"alg":"HS256"})"), "unknown key"},
    {"unknown kid", header_token(R"({"alg":"HS256","kid":"other"})"), "unknown key"},
    {"kid as a path", header_token(R"({"alg":"HS256","kid":"../../dev/null"})", ""), "unknown key"},
    {"kid as SQL", header_token(R"({"alg":"HS256","kid":"x' UNION SELECT 'k"})"), "unknown key"},
    {"kid with NUL", header_token(R"({"alg":"HS256","kid":"now\u0000"})"), "unknown key"},
    {"kid a number", header_token(R"({"alg":"HS256","kid":1})"), "header not allowed"},
    // Headers that steer.
    {"crit", header_token(R"({"alg":"HS256","kid":"now","crit":["exp"]})"), "header not allowed"},
    {"crit empty", header_token(R"({"alg":"HS256","kid":"now","crit":[]})"), "header not allowed"},
    {"b64 false", header_token(R"({"alg":"HS256","kid":"now","b64":false})"), "header not allowed"},
    {"jwk", header_token(R"({"alg":"HS256","kid":"now","jwk":{"kty":"oct","k":"YQ"}})"),
     "header not allowed"},
    {"jku", header_token(R"({"alg":"HS256","kid":"now","jku":"http://127.0.0.1/k"})"),
     "header not allowed"},
    {"x5u", header_token(R"({"alg":"HS256","kid":"now","x5u":"http://127.0.0.1/k"})"),
     "header not allowed"},
    {"x5c", header_token(R"({"alg":"HS256","kid":"now","x5c":["YQ"]})"), "header not allowed"},
    {"zip", header_token(R"({"alg":"HS256","kid":"now","zip":"DEF"})"), "header not allowed"},
    {"nested", header_token(R"({"alg":"HS256","kid":"now","cty":"JWT"})"), "header not allowed"},
    {"typ of something else", header_token(R"({"alg":"HS256","kid":"now","typ":"dpop+jwt"})"),
     "header not allowed"},
    // Duplicates: two parsers, two answers.
    {"alg twice", header_token(R"({"alg":"none","alg":"HS256","kid":"now"})"), "malformed header"},
    {"kid twice", header_token(R"({"alg":"HS256","kid":"x","kid":"now"})"), "malformed header"},
    {"sub twice", seal(R"({"alg":"HS256","kid":"now"})", R"({"sub":"a",)" + claims_text.substr(1)),
     "malformed claims"},
    {"exp twice", seal(R"({"alg":"HS256","kid":"now"})", R"({"exp":1,)" + claims_text.substr(1)),
     "malformed claims"},
    {"roles twice by escape",
     seal(R"({"alg":"HS256","kid":"now"})", R"({"rol\u0065s":["admin"],)" + claims_text.substr(1)),
     "malformed claims"},
    // Shape.
    {"empty", "", "missing token"},
    {"a word", "token", "malformed token"},
    {"two parts", head + '.' + body, "malformed token"},
    {"four parts", good + ".x", "malformed token"},
    {"five parts (encrypted)", "a.b.c.d.e", "malformed token"},
    {"only dots", "..", "malformed header"},
    {"padding", head + '.' + body + '.' + mac + '=', "malformed token"},
    {"base64 with + and /", head + '.' + body + ".+/" + mac.substr(2), "malformed token"},
    {"white space inside", head + ".\n" + body + '.' + mac, "malformed token"},
    {"stray bits in the signature", stray_bits, "malformed token"},
    {"header no object", seal("[]", claims_text), "malformed header"},
    {"header no JSON", seal("alg", claims_text), "malformed header"},
    {"claims no object", seal(R"({"alg":"HS256","kid":"now"})", "\"sub\""), "malformed claims"},
    {"claims with a tail", seal(R"({"alg":"HS256","kid":"now"})", claims_text + "{}"),
     "malformed claims"},
    {"claims not UTF-8", seal(R"({"alg":"HS256","kid":"now"})", "{\"sub\":\"\xFF\"}"),
     "malformed claims"},
    {"claims very deep",
     seal(R"({"alg":"HS256","kid":"now"})", std::string(2000, '[') + std::string(2000, ']')),
     "malformed claims"},
    {"endless", std::string(100'000, 'A'), "token too long"},
    // Times.
    {"no exp", claims_token(without(good_claims(), "exp")), "missing exp"},
    {"exp null", claims_token(with(good_claims(), "exp", nullptr)), "malformed time"},
    {"exp a text", claims_token(with(good_claims(), "exp", "1790003600")), "malformed time"},
    {"exp true", claims_token(with(good_claims(), "exp", true)), "malformed time"},
    {"exp negative", claims_token(with(good_claims(), "exp", -1)), "malformed time"},
    {"exp enormous", claims_token(with(good_claims(), "exp", 1e300)), "malformed time"},
    {"exp over 64 bits",
     seal(R"({"alg":"HS256","kid":"now"})", R"({"exp":99999999999999999999999})"),
     "malformed time"},
    {"expired", claims_token(with(good_claims(), "exp", start - 31)), "expired"},
    {"expired long ago", claims_token(with(good_claims(), "exp", 0)), "expired"},
    {"not valid yet", claims_token(with(good_claims(), "nbf", start + 31)), "not valid yet"},
    {"nbf a text", claims_token(with(good_claims(), "nbf", "now")), "malformed time"},
    {"issued in the future", claims_token(with(good_claims(), "iat", start + 31)),
     "issued in the future"},
    {"lives for years", claims_token(with(good_claims(), "exp", start + 10 * 365 * 86400)),
     "lives too long"},
    {"lives 90 days and a second", claims_token(with(good_claims(), "exp", start + 90 * 86400 + 1)),
     "lives too long"},
    {"lives long by a missing iat",
     claims_token(with(without(good_claims(), "iat"), "exp", start + 91 * 86400)),
     "lives too long"},
    // Whom it is for, and from whom.
    {"no sub", claims_token(without(good_claims(), "sub")), "missing sub"},
    {"sub empty", claims_token(with(good_claims(), "sub", "")), "missing sub"},
    {"sub a number", claims_token(with(good_claims(), "sub", 7)), "missing sub"},
    {"sub with a line end", claims_token(with(good_claims(), "sub", "a\nb")), "missing sub"},
    {"no aud", claims_token(without(good_claims(), "aud")), "missing aud"},
    {"aud of another", claims_token(with(good_claims(), "aud", "koji")), "for another audience"},
    {"aud a list of others", claims_token(with(good_claims(), "aud", {"koji", "Troupe"})),
     "for another audience"},
    {"aud an object", claims_token(with(good_claims(), "aud", {{"troupe", true}})),
     "for another audience"},
    {"iss of another", claims_token(with(good_claims(), "iss", "elsewhere")),
     "from another issuer"},
    {"no jti", claims_token(without(good_claims(), "jti")), "missing jti"},
    {"no roles", claims_token(without(good_claims(), "roles")), "missing roles"},
    {"unknown role", claims_token(with(good_claims(), "roles", {"root"})), "no known role"},
    {"role none", claims_token(with(good_claims(), "roles", {"none"})), "no known role"},
    {"roles a text", claims_token(with(good_claims(), "roles", "admin")), "no known role"},
    // ALTS-style where it is not accepted.
    {"email only", seal(R"({"alg":"HS256","kid":"now"})", R"({"email":"a@example.org"})"),
     "missing exp"},
  };
  return out;
}

} // namespace

TEST_CASE("no forged token is accepted, and the reason says why", "[unit][http][jwt]") {
  const auto tokens = make();
  const auto all = forged_tokens();
  CHECK(all.size() >= 60);
  for (const auto& x : all) {
    INFO(x.what);
    CHECK(refusal(tokens, x.token) == x.reason);
  }
}

TEST_CASE("a good token names its bearer", "[unit][http][jwt]") {
  const auto tokens = make();
  auto who = tokens.verify(claims_token(good_claims()), at_start);
  REQUIRE(who);
  CHECK(who->subject == "anna");
  CHECK(who->level == token_level::submit);
  CHECK(who->token_id == "t-1");
  CHECK(who->expires == at_start + std::chrono::hours{1});
  CHECK(tokens.verify(header_token(R"({"alg":"HS256","kid":"old"})", old_secret), at_start));
  CHECK(tokens.verify(ed_token(R"({"alg":"EdDSA","kid":"ed"})", good_claims()), at_start));
  CHECK(tokens.verify(claims_token(with(good_claims(), "aud", {"koji", "troupe"})), at_start));
  auto admin =
    tokens.verify(claims_token(with(good_claims(), "roles", {"read", "admin", "other"})), at_start);
  REQUIRE(admin);
  CHECK(admin->level == token_level::admin);
}

TEST_CASE("times have a leeway and no more", "[unit][http][jwt]") {
  const auto tokens = make();
  CHECK(tokens.verify(claims_token(with(good_claims(), "exp", start - 29)), at_start));
  CHECK(tokens.verify(claims_token(with(good_claims(), "nbf", start + 30)), at_start));
  CHECK(tokens.verify(claims_token(with(good_claims(), "exp", start + 90 * 86400)), at_start));
}

TEST_CASE("a remembered token still expires and can still be revoked", "[unit][http][jwt]") {
  auto folder = tests::temp_folder{};
  auto options = two_keys();
  options.revoked_file = folder.path() + "/revoked";
  std::ofstream{options.revoked_file} << "# left the project\nt-9\n";
  const auto tokens = make(options);
  const auto token = claims_token(good_claims());
  CHECK(refusal(tokens, token) == "accepted");
  CHECK(refusal(tokens, token) == "accepted");
  CHECK(refusal(tokens, token, at_start + std::chrono::seconds{3631}) == "expired");
  CHECK(refusal(tokens, claims_token(with(good_claims(), "jti", "t-9"))) == "revoked");
  std::ofstream{options.revoked_file, std::ios::app} << "t-1 # stolen\n";
  // The file is looked at once a second.
  while (refusal(tokens, token) == "accepted")
    std::this_thread::yield();
  CHECK(refusal(tokens, token) == "revoked");
}

TEST_CASE("what is issued is accepted, and says what it should", "[unit][http][jwt]") {
  const auto tokens = make();
  auto token = tokens.issue({"anna", token_level::read, 1h, "t-7"}, at_start);
  REQUIRE(token);
  auto who = tokens.verify(*token, at_start);
  REQUIRE(who);
  CHECK(who->subject == "anna");
  CHECK(who->level == token_level::read);
  CHECK(who->token_id == "t-7");
  CHECK_FALSE(tokens.issue({"", token_level::read, 1h, {}}, at_start));
  CHECK_FALSE(tokens.issue({"anna", token_level::none, 1h, {}}, at_start));
  CHECK_FALSE(tokens.issue({"anna", token_level::read, 24h * 91, {}}, at_start));
  auto options = jwt_options{};
  options.keys = {{"ed", jwt_algorithm::eddsa, ed_private, ed_public}};
  const auto ed = make(options);
  auto signed_by_ed = ed.issue({"anna", token_level::admin, 1h, {}}, at_start);
  REQUIRE(signed_by_ed);
  CHECK(tokens.verify(*signed_by_ed, at_start));
}

TEST_CASE("tokens of ALTS are accepted only where the configuration says so", "[unit][http][jwt]") {
  auto options = jwt_options{};
  options.keys = {{"", jwt_algorithm::hs256, std::string{secret}, {}}};
  const auto token = issue_alts_token(secret, "a@example.org");
  CHECK(refusal(make(options), token) == "missing exp");
  options.accept_alts = true;
  const auto tokens = make(options);
  auto who = tokens.verify(token, at_start);
  REQUIRE(who);
  CHECK(who->subject == "a@example.org");
  CHECK(who->level == token_level::submit);
  auto alts = [&](const json& claims) {
    return refusal(tokens, seal(R"({"alg":"HS256","typ":"JWT"})", json_text(claims)));
  };
  CHECK(alts({{"email", "a"}, {"exp", start + 60}}) == "accepted");
  CHECK(alts({{"email", "a"}, {"exp", start - 60}}) == "expired");
  CHECK(alts({{"email", "a"}, {"nbf", start + 60}}) == "not valid yet");
  CHECK(alts({{"email", "a"}, {"aud", "alts"}}) == "missing exp");
  CHECK(alts({{"email", "a"}, {"roles", {"admin"}}}) == "missing exp");
  CHECK(alts({{"email", ""}}) == "missing email");
  CHECK(alts({{"name", "a"}}) == "missing exp");
}

TEST_CASE("the credentials end with the token", "[unit][http][jwt]") {
  const auto tokens = make();
  auto fresh = tokens.issue({"anna", token_level::read, 1h, {}});
  REQUIRE(fresh);
  CHECK(tokens.verify_header("Bearer " + *fresh));
  CHECK(tokens.verify_header("bearer " + *fresh));
  CHECK(tokens.verify_header("Bearer JWT " + *fresh));
  auto reason = [&](std::string_view header) {
    return explain(tokens.verify_header(header).error()).text;
  };
  CHECK(reason("") == "missing token");
  CHECK(reason("Bearer ") == "missing token");
  CHECK(reason("Bearer") == "not a bearer token");
  CHECK(reason("Basic YTpi") == "not a bearer token");
  CHECK(reason(*fresh) == "not a bearer token");
}

TEST_CASE("weak keys are refused at the start", "[unit][http][jwt]") {
  auto refused = [](std::string_view text) { return static_cast<bool>(check_secret(text)); };
  CHECK(refused(""));
  CHECK(refused("short"));
  CHECK(refused(std::string(31, 'x')));
  CHECK(refused(std::string(64, 'x')));
  CHECK(refused("09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"));
  CHECK(refused("please-change-me-please-change-me"));
  CHECK_FALSE(refused(secret));
  auto fails = [](jwt_options options) { return !jwt::make(std::move(options)); };
  auto with_key = [](jwt_key key) {
    auto out = jwt_options{};
    out.keys = {std::move(key)};
    return out;
  };
  CHECK(fails({}));
  CHECK(fails(with_key({"", jwt_algorithm::hs256, "short", {}})));
  CHECK(fails(with_key({"", jwt_algorithm::eddsa, {}, "short"})));
  CHECK(fails(with_key({"", jwt_algorithm::eddsa, ed_private, std::string(32, 'x')})));
  auto twice = two_keys();
  twice.keys[1].id = "now";
  CHECK(fails(twice));
  auto patient = two_keys();
  patient.leeway = 61s;
  CHECK(fails(patient));
  auto missing = two_keys();
  missing.revoked_file = "/nonexistent/revoked";
  CHECK(fails(missing));
}

TEST_CASE("base64url has one text for each value", "[unit][http][jwt]") {
  for (auto size = size_t{0}; size < 10; ++size) {
    auto bytes = std::string(size, '\xFB');
    CHECK(from_base64url(to_base64url(bytes)) == bytes);
  }
  CHECK(to_base64url("\xFB\xFF") == "-_8");
  CHECK_FALSE(from_base64url("-_9"));
  CHECK_FALSE(from_base64url("A"));
  CHECK_FALSE(from_base64url("AA=="));
  CHECK_FALSE(from_base64url("A A"));
}

TEST_CASE("the example of RFC 8037 is signed as printed there", "[unit][http][jwt]") {
  auto signer = jwt_signer::make({"", jwt_algorithm::eddsa, ed_private, {}});
  REQUIRE(signer);
  auto signature = signer->sign("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
  REQUIRE(signature);
  CHECK(
    to_base64url(*signature)
    == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}
