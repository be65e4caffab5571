#include "bridges/http/jwt_claims.hpp"

#include "messages/json.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {

namespace {

constexpr size_t max_subject = 256;
constexpr double latest_time = 9e9; ///< In the year 2255: what a timestamp in nanoseconds can hold.

caf::error claim_refused(const char* reason) {
  return fault(ec::unauthorized, reason);
}

/// A NumericDate in seconds, if the member is there and sound.
struct numeric_date {
  bool present = false;
  bool sound = true;
  double seconds = 0;
};

numeric_date read_date(const json& claims, const char* name) {
  auto out = numeric_date{};
  auto i = claims.find(name);
  if (i == claims.end())
    return out;
  out.present = true;
  out.sound = i->is_number();
  if (out.sound)
    out.seconds = i->get<double>();
  out.sound =
    out.sound && std::isfinite(out.seconds) && out.seconds >= 0 && out.seconds <= latest_time;
  return out;
}

/// Returns a text member, or nothing if it is absent, empty, too long or no plain line.
std::string read_line(const json& claims, const char* name) {
  auto i = claims.find(name);
  if (i == claims.end() || !i->is_string())
    return {};
  auto text = i->get<std::string>();
  return text.size() <= max_subject && obeys("line", text) ? text : std::string{};
}

bool is_for(const json& audience, const std::string& us) {
  if (audience.is_string())
    return audience == us;
  return audience.is_array() && std::find(audience.begin(), audience.end(), us) != audience.end();
}

/// ALTS's tokens: the claim `email`, and at most the times that PyJWT checks.
bool is_alts_style(const json& claims) {
  auto known = [](const std::string& name) {
    return name == "email" || name == "exp" || name == "nbf" || name == "iat";
  };
  if (!claims.contains("email"))
    return false;
  for (const auto& [name, _] : claims.items())
    if (!known(name))
      return false;
  return true;
}

caf::error check_times(const json& claims, const jwt_options& options, double now, bool need_exp) {
  const auto leeway = static_cast<double>(options.leeway.count());
  const auto life = std::chrono::duration<double>(options.max_life).count();
  auto exp = read_date(claims, "exp");
  auto nbf = read_date(claims, "nbf");
  auto iat = read_date(claims, "iat");
  if (!exp.sound || !nbf.sound || !iat.sound)
    return claim_refused("malformed time");
  if (!exp.present && need_exp)
    return claim_refused("missing exp");
  if (exp.present && now >= exp.seconds + leeway)
    return claim_refused("expired");
  if (nbf.present && nbf.seconds > now + leeway)
    return claim_refused("not valid yet");
  if (iat.present && iat.seconds > now + leeway)
    return claim_refused("issued in the future");
  if (need_exp && exp.seconds - (iat.present ? iat.seconds : now) > life)
    return claim_refused("lives too long");
  return caf::none;
}

caf::timestamp time_of(double seconds) {
  return caf::timestamp{std::chrono::duration_cast<caf::timespan>(
    std::chrono::milliseconds{static_cast<int64_t>(seconds * 1000)})};
}

token_level highest_role(const json& roles) {
  auto out = token_level::none;
  if (!roles.is_array())
    return out;
  for (const auto& role : roles)
    if (role.is_string())
      if (auto level = enum_of<token_level>(role.get_ref<const std::string&>()))
        out = std::max(out, *level);
  return out;
}

caf::expected<identity> read_own_style(const json& claims, const jwt_options& options) {
  auto out = identity{};
  out.subject = read_line(claims, "sub");
  if (out.subject.empty())
    return claim_refused("missing sub");
  if (!claims.contains("aud"))
    return claim_refused("missing aud");
  if (!is_for(claims["aud"], options.audience))
    return claim_refused("for another audience");
  out.token_id = read_line(claims, "jti");
  if (out.token_id.empty())
    return claim_refused("missing jti");
  if (claims.contains("iss") && !options.issuer.empty() && claims["iss"] != options.issuer)
    return claim_refused("from another issuer");
  if (!claims.contains("roles"))
    return claim_refused("missing roles");
  out.level = highest_role(claims["roles"]);
  if (out.level == token_level::none)
    return claim_refused("no known role");
  return out;
}

} // namespace

caf::expected<jwt_header> read_jwt_header(std::string_view text) {
  auto in = parse_json_text(text, {4, 16});
  if (!in || !in->is_object())
    return claim_refused("malformed header");
  auto out = jwt_header{};
  for (const auto& [name, value] : in->items()) {
    if (!value.is_string())
      return claim_refused("header not allowed");
    const auto& word = value.get_ref<const std::string&>();
    if (name == "alg")
      out.algorithm = word;
    else if (name == "kid")
      out.key_id = word;
    else if (name != "typ" || (word != "JWT" && word != "jwt"))
      return claim_refused("header not allowed");
  }
  if (out.algorithm.empty())
    return claim_refused("missing alg");
  return out;
}

caf::expected<identity> read_jwt_claims(std::string_view text, jwt_algorithm algorithm,
                                        const jwt_options& options, caf::timestamp at) {
  auto in = parse_json_text(text, {8, 64});
  if (!in || !in->is_object())
    return claim_refused("malformed claims");
  const auto& claims = *in;
  const auto now = std::chrono::duration<double>(at.time_since_epoch()).count();
  auto alts = options.accept_alts && algorithm == jwt_algorithm::hs256 && is_alts_style(claims);
  if (auto err = check_times(claims, options, now, !alts))
    return err;
  auto out = caf::expected<identity>{identity{}};
  if (alts) {
    out->subject = read_line(claims, "email");
    out->level = options.alts_level;
    if (out->subject.empty())
      return claim_refused("missing email");
  } else {
    out = read_own_style(claims, options);
  }
  if (out && claims.contains("exp"))
    out->expires = time_of(claims["exp"].get<double>());
  return out;
}

} // namespace troupe
