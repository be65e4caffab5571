#include "nodes/cli/own_token.hpp"

#include "bridges/http/jwt.hpp"
#include "config/text_file.hpp"

namespace troupe::cli {

namespace {

constexpr auto longest_secret = size_t{64} << 10;

} // namespace

caf::expected<std::string> read_own_secret(const std::string& folder) {
  auto path = folder + '/' + secret_file_name;
  auto text = read_text_file(path, longest_secret);
  if (!text && explain(text.error()).code == ec::not_found)
    return fault_at(ec::not_found, path, "there is no token secret");
  if (!text)
    return fault_at(ec::forbidden, path, explain(text.error()).text);
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
    text->pop_back();
  return text;
}

caf::expected<std::string> sign_own_token(const std::string& secret, const own_claims& claims) {
  auto level = enum_of<token_level>(claims.role);
  if (!level || *level == token_level::none)
    return fault_at(ec::invalid_argument, "--role", "must be read, submit or admin");
  auto options = jwt_options{};
  options.keys.push_back({"", jwt_algorithm::hs256, secret, ""});
  options.audience = claims.audience;
  auto signer = jwt::make(std::move(options));
  if (!signer)
    return std::move(signer.error());
  auto what = jwt_claims{};
  what.subject = claims.subject;
  what.level = *level;
  what.life = std::chrono::duration_cast<std::chrono::seconds>(claims.lifetime);
  what.token_id = claims.id;
  return signer->issue(what);
}

caf::expected<std::string> sign_alts_token(const std::string& secret, const std::string& algorithm,
                                           const std::string& email) {
  if (algorithm != "HS256")
    return fault(ec::unsupported, "Only HS256 is supported, not " + algorithm);
  return issue_alts_token(secret, email);
}

} // namespace troupe::cli
