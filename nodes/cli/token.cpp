#include "config/printable.hpp"
#include "config/section.hpp"
#include "config/text_file.hpp"
#include "config/units.hpp"
#include "nodes/cli/exit_code.hpp"
#include "nodes/cli/own_token.hpp"
#include "nodes/cli/program.hpp"

#include <CLI/CLI.hpp>
#include <sys/stat.h>

#include <ostream>

namespace troupe::cli {

namespace {

struct token_options {
  own_claims claims;
  std::string secret_file;
  // The flags of ALTS's generate_jwt_token.py. Source: spec/testing.md 1.1.
  std::string config;
  std::string email;
  std::string algorithm;
  std::string jwt_secret;
};

/// Says what ALTS's script says, as it says it: exit code 1.
void refuse(program& p, const std::string& text) {
  if (p.options.json)
    write_line(p.io, json_text({{"error", error_json(fault(ec::invalid_argument, text))}}));
  p.io.err << printable(text, "\n") << '\n';
  p.exit_code = exit_code::fail;
}

/// Reads secret and algorithm out of ALTS's configuration, which has many keys that are none of our
/// business.
caf::error read_alts_config(const std::string& path, std::string& secret, std::string& algorithm) {
  auto in = section::from_file(path);
  if (!in)
    return std::move(in.error());
  in->read("jwt_secret", secret);
  in->read("hashing_algorithm", algorithm);
  if (secret.empty())
    return fault_at(ec::invalid_config, path, "jwt_secret is missing");
  return caf::none;
}

caf::expected<std::string> read_secret_file(const std::string& path) {
  auto text = read_text_file(path, 64 << 10);
  if (!text)
    return fault_at(ec::invalid_argument, path, explain(text.error()).text);
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
    text->pop_back();
  return text;
}

void print(program& p, const std::string& token, bool alts) {
  if (p.options.json)
    write_line(p.io, json_text({{"token", token}}));
  else
    p.io.out << (alts ? "\nToken: " : "") << token << '\n';
}

void issue_alts(program& p, const token_options& in) {
  auto secret = in.jwt_secret;
  if (secret.empty() && !in.secret_file.empty()) {
    auto text = read_secret_file(in.secret_file);
    if (!text)
      return refuse(p, one_line(text.error()));
    secret = std::move(*text);
  }
  if (in.config.empty() && secret.empty())
    return refuse(p, "Need either config file or JWT secret for token generation");
  if (in.email.empty())
    return refuse(p, "Need E-mail address to generate token");
  if (!in.config.empty() && !secret.empty())
    return refuse(p, "Specify either config file or JWT secret");
  auto algorithm = std::string{"HS256"};
  if (!in.config.empty()) {
    struct stat is {};
    if (::stat(in.config.c_str(), &is) != 0)
      return refuse(p, "Config file is missing");
    if (auto err = read_alts_config(in.config, secret, algorithm))
      return refuse(p, one_line(err));
  }
  auto token = sign_alts_token(secret, in.algorithm.empty() ? algorithm : in.algorithm, in.email);
  if (!token)
    return refuse(p, one_line(token.error()));
  print(p, *token, true);
}

/// Returns the first of these options that was given.
std::string given_of(const CLI::App& verb, const std::vector<std::string>& options) {
  for (const auto& option : options)
    if (verb.count(option) > 0)
      return option;
  return {};
}

void issue(program& p, const CLI::App& verb, const token_options& in) {
  auto alts = given_of(verb, {"--email", "--config", "--hash-algorithm", "--jwt-secret"});
  auto own = given_of(verb, {"--sub", "--role", "--ttl", "--aud", "--jti"});
  if (!alts.empty() && !own.empty())
    return p.fail(fault_at(ec::invalid_argument, own,
                           "does not go with " + alts
                             + ": a token in the style of ALTS carries the e-mail address alone"));
  if (!alts.empty())
    return issue_alts(p, in);
  auto secret = in.secret_file.empty() ? read_own_secret(data_folder(p.options))
                                       : read_secret_file(in.secret_file);
  if (!secret)
    return p.fail(secret.error());
  auto token = sign_own_token(*secret, in.claims);
  if (!token)
    return p.fail(token.error());
  print(p, *token, false);
}

void add_ttl(CLI::App& verb, own_claims& claims) {
  verb
    .add_option_function<std::string>(
      "--ttl",
      [&claims](const std::string& text) {
        auto lifetime = parse_duration(text);
        if (!lifetime || lifetime->count() < 1000)
          throw CLI::ValidationError{"--ttl", "must be a duration with a unit, as \"30d\""};
        claims.lifetime = *lifetime;
      },
      "How long it is valid, at most 90d")
    ->default_str("1h");
}

} // namespace

void add_token(program& p) {
  auto in = std::make_shared<token_options>();
  auto verb =
    p.verb("token", "Issue a token with a node's secret, or one in the style of ALTS",
           "  troupe token --sub ci --role submit --ttl 30d\n"
           "  troupe token --data /var/lib/troupe --sub anna --role admin\n"
           "  troupe token -e me@example.org --jwt-secret-file secret     for ALTS clients\n"
           "  troupe token -e me@example.org -c scheduler.yaml\n");
  auto& claims = in->claims;
  verb->add_option("--sub", claims.subject, "Whom it is for")->capture_default_str();
  verb->add_option("--role", claims.role, "What it allows")
    ->check(CLI::IsMember({"read", "submit", "admin"}))
    ->capture_default_str();
  add_ttl(*verb, claims);
  verb->add_option("--aud", claims.audience, "Audience")->capture_default_str();
  verb->add_option("--jti", claims.id, "Id of the token (default: random)");
  verb->add_option("--jwt-secret-file,--secret-file", in->secret_file,
                   "File with the secret (default: the one of the node's data folder)");
  verb->add_option("-c,--config", in->config, "ALTS: configuration with jwt_secret")->group("ALTS");
  verb->add_option("-e,--email", in->email, "ALTS: the claim \"email\"")->group("ALTS");
  verb->add_option("-a,--hash-algorithm", in->algorithm, "ALTS: HS256")->group("ALTS");
  verb
    ->add_option(
      "-s,--jwt-secret", in->jwt_secret,
      "ALTS: the secret itself; everybody on the machine can see it, prefer --jwt-secret-file")
    ->group("ALTS");
  verb->callback([&p, verb, in] { issue(p, *verb, *in); });
}

} // namespace troupe::cli
