/// Verbs that need no server: configuration, tokens, completion, usage.
#include "bridges/http/jwt.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cluster/authority/authority.hpp"
#include "nodes/config_check.hpp"
#include "tests/support/slurp.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace troupe;

namespace {

struct outcome {
  int code = 0;
  std::string out;
  std::string err;
};

outcome client(const std::vector<std::string>& arguments) {
  auto out = std::ostringstream{};
  auto err = std::ostringstream{};
  auto code = cli::run_client(arguments, cli::terminal{out, err, false, false});
  return {code, out.str(), err.str()};
}

std::string write(const tests::temp_folder& folder, const std::string& name,
                  const std::string& text) {
  auto path = folder.path() + '/' + name;
  std::ofstream{path} << text;
  return path;
}

std::vector<std::string> example_files() {
  auto out = std::vector<std::string>{};
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator{TROUPE_SOURCE_DIR "/config/examples"})
    if (entry.is_regular_file())
      out.push_back(entry.path().string());
  return out;
}

const auto verbs = {"submit",  "watch",     "ls",         "show",    "logs",     "cancel",
                    "retry",   "artifacts", "runners",    "queues",  "nodes",    "token",
                    "cluster", "config",    "completion", "version", "machines", "preload"};
const auto secret = std::string{"5f0c1a9be27d4836a1c7e98f02d4b6538e17f3a94c60d2b5f8e1097a3c5d6b42"};

/// Reads the keys of an example, also those that are switched off by a '#' in
/// the first column; each with what stands behind it, "" for a section.
std::map<std::string, std::string> keys_of(const std::string& path) {
  auto out = std::map<std::string, std::string>{};
  auto stack = std::vector<std::string>{};
  auto in = std::ifstream{path};
  for (auto line = std::string{}; std::getline(in, line);) {
    auto off = line.starts_with('#');
    if (off)
      line.erase(0, 1);
    auto indent = line.find_first_not_of(' ');
    auto colon = line.find(':');
    if (indent == std::string::npos || colon == std::string::npos || indent % 2 != 0
        || line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", indent) != colon)
      continue;
    stack.resize(indent / 2);
    stack.push_back(line.substr(indent, colon - indent));
    auto value = line.substr(colon + 1, line.find("  #", colon) - colon - 1);
    value.erase(0, value.find_first_not_of(' '));
    value.erase(value.find_last_not_of(' ') + 1);
    auto key = std::string{};
    for (const auto& part : stack)
      key += (key.empty() ? "" : ".") + part;
    out[key] = off ? "off" : value;
  }
  return out;
}

} // namespace

TEST_CASE("a node would start with every example") {
  REQUIRE(example_files().size() >= 7);
  for (const auto& file : example_files()) {
    INFO(file);
    auto faults = check_node_config(file, named_files::left); // they are on other hosts
    for (const auto& f : faults)
      UNSCOPED_INFO(to_string(f));
    CHECK(faults.empty());
  }
}

TEST_CASE("the complete example names every key of the program, with its default") {
  auto written = keys_of(TROUPE_SOURCE_DIR "/config/examples/all_in_one.yaml");
  auto known = std::set<std::string>{};
  for (const auto& k : known_node_keys()) {
    INFO(k.key << " should be " << k.standard);
    known.insert(k.key);
    auto i = written.find(k.key);
    REQUIRE(i != written.end());
    auto value = i->second;
    if (value.starts_with('"'))
      value = value.substr(1, value.size() - 2);
    if (value != "off" && !(k.kind == "mapping" && value == "{}"))
      CHECK(value == k.standard);
  }
  // And nothing else: what is no known key is a section that holds known ones.
  for (const auto& [key, value] : written) {
    auto begins = known.lower_bound(key + '.');
    INFO(key);
    CHECK((known.count(key) == 1 || (begins != known.end() && begins->starts_with(key + '.'))));
  }
}

TEST_CASE("config check reports all faults of all files with their places and exits with 2") {
  auto folder = tests::temp_folder{};
  auto bad =
    write(folder, "bad.yaml", "node: {nam: x}\nroles:\n  http: {port: 99999}\n  journl:\n");
  auto worse = write(folder, "worse.yaml", "a: [\n");
  auto good = write(folder, "good.yaml", "roles: {journal: {}}\n");
  auto done = client({"config", "check", bad, worse, good});
  CHECK(done.code == 2);
  CHECK(done.out.find(bad + ":1:8: node.nam: unknown key, did you mean \"name\"?\n")
        != std::string::npos);
  CHECK(done.out.find(bad + ":3:16: roles.http.port: must be a whole number") != std::string::npos);
  CHECK(done.out.find(bad + ":4:3: roles.journl: unknown key, did you mean \"journal\"?\n")
        != std::string::npos);
  CHECK(done.out.find(worse + ":") != std::string::npos);
  CHECK(done.out.find(good + ": ok\n") != std::string::npos);
  CHECK(client({"config", "check", good}).code == 0);
  CHECK(client({"config", "check", folder.path() + "/missing.yaml"}).code == 2);
}

TEST_CASE("config check --json is a list of faults") {
  auto folder = tests::temp_folder{};
  auto bad = write(folder, "bad.yaml", "node: {nam: x}\n");
  auto faults = parse_json_text(client({"config", "check", bad, "--json"}).out);
  REQUIRE(faults);
  REQUIRE(faults->size() == 1);
  CHECK((*faults)[0].at("line") == 1);
  CHECK((*faults)[0].at("column") == 8);
  CHECK((*faults)[0].at("key") == "node.nam");
}

TEST_CASE("config check opens the files that a start opens") {
  auto folder = tests::temp_folder{};
  auto ca = folder.path() + "/ca";
  auto now = static_cast<int64_t>(std::time(nullptr));
  REQUIRE(make_authority(ca, 10, now - 5 * 86'400));
  for (const auto* name : {"a", "b", "old"}) {
    auto order = node_certificate_order{};
    order.node = name;
    order.days = 2;
    auto made = name == std::string_view{"old"} ? now - 4 * 86'400 : now;
    REQUIRE(issue_certificate(ca, order, made));
  }
  auto faults_of = [&](const std::string& node, const std::string& key,
                       const std::string& cluster = {}, const std::string& tokens = {}) {
    auto file = write(folder, "node.yaml",
                      "node: {name: " + node + "}\ncluster:\n  dial: [\"s@127.0.0.1:1\"]\n"
                        + "  certificate: " + ca + '/' + node + "/node.pem\n  key: " + ca + '/'
                        + key + "/node.key\n  authority: " + ca + "/ca.pem\n" + cluster
                        + "roles: {http: {tokens: {" + tokens + "}}}\n");
    CHECK(client({"config", "check", "--keys-only", file}).code == 0);
    return client({"config", "check", file}).out;
  };
  CHECK(faults_of("a", "a").ends_with(": ok\n"));
  CHECK(faults_of("a", "c").find(":5:8: cluster.key: " + ca + "/c/node.key: No such file")
        != std::string::npos);
  CHECK(faults_of("a", "b").find("cluster.key: " + ca + "/b/node.key: is not the key of")
        != std::string::npos);
  CHECK(faults_of("old", "old").find("certificate has expired") != std::string::npos);
  auto revoked = write(folder, "revoked", "# none\nnot a serial\n");
  CHECK(
    faults_of("a", "a", "  revoked: " + revoked + '\n').find(":7:12: cluster.revoked: " + revoked)
    != std::string::npos);
  auto no_key = write(folder, "no_key.pem", "no key\n");
  auto tokens = faults_of("a", "a", {}, "ed25519_key_file: " + no_key + ", revoked_file: /nowhere");
  CHECK(tokens.find("tokens.ed25519_key_file: " + no_key + ": this is no Ed25519 key")
        != std::string::npos);
  CHECK(tokens.find("tokens.revoked_file: /nowhere: the list of revoked tokens cannot be read")
        != std::string::npos);
  // Somebody else's identity, in order by itself.
  auto borrowed =
    write(folder, "borrowed.yaml",
          "node: {name: b}\ncluster: {dial: [\"s@127.0.0.1:1\"], certificate: " + ca
            + "/a/node.pem, key: " + ca + "/a/node.key, authority: " + ca + "/ca.pem}\n");
  CHECK(
    client({"config", "check", borrowed})
      .out.find("cluster.certificate: " + ca + "/a/node.pem: names the node 'a', node.name is 'b'")
    != std::string::npos);
}

TEST_CASE("config show lists every key with its default") {
  auto done = client({"config", "show", "--json"});
  auto keys = parse_json_text(done.out);
  REQUIRE(keys);
  CHECK(keys->size() == known_node_keys().size());
  CHECK(client({"config", "show"}).out.find("roles.http.port") != std::string::npos);
}

TEST_CASE("token speaks as ALTS's script does") {
  auto folder = tests::temp_folder{};
  auto refused = [](const std::vector<std::string>& arguments) {
    auto done = client(arguments);
    CHECK(done.code == 1);
    CHECK(done.out.empty());
    return done.err;
  };
  CHECK(refused({"token", "-e", "a@b"})
        == "Need either config file or JWT secret for token generation\n");
  CHECK(refused({"token", "-s", secret}) == "Need E-mail address to generate token\n");
  CHECK(refused({"token", "-s", secret, "-c", "x", "-e", "a@b"})
        == "Specify either config file or JWT secret\n");
  CHECK(refused({"token", "-c", folder.path() + "/none", "-e", "a@b"})
        == "Config file is missing\n");
  CHECK(refused({"token", "-s", secret, "-e", "a@b", "-a", "RS256"}).find("RS256")
        != std::string::npos);
  auto config = write(folder, "scheduler.yaml",
                      "jwt_secret: " + secret + "\nhashing_algorithm: HS256\nbs_host: http://x\n");
  auto file = write(folder, "secret", secret + "\n");
  auto wanted = "\nToken: " + issue_alts_token(secret, "a@b") + "\n";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
         {"token", "-e", "a@b", "-s", secret},
         {"token", "--email", "a@b", "--jwt-secret", secret, "--hash-algorithm", "HS256"},
         {"token", "-e", "a@b", "--jwt-secret-file", file},
         {"token", "-e", "a@b", "-c", config}}) {
    auto done = client(arguments);
    CHECK(done.code == 0);
    CHECK(done.out == wanted);
  }
}

TEST_CASE("token drops no option in silence") {
  for (const auto* option : {"--role", "--sub", "--ttl", "--aud", "--jti"}) {
    auto value = option == std::string_view{"--ttl"} ? "1h" : "submit";
    auto done = client({"token", "-e", "a@b", "-s", secret, option, value});
    CHECK(done.code == 2);
    CHECK(done.out.empty());
    CHECK(done.err.find(option) != std::string::npos);
    CHECK(done.err.find("does not go with --email") != std::string::npos);
  }
}

TEST_CASE("token issues what was asked for") {
  auto folder = tests::temp_folder{};
  auto file = write(folder, "secret", secret + "\n");
  auto done = client({"token", "--secret-file", file, "--sub", "ci", "--role", "submit", "--jti",
                      "t1", "--ttl", "30d", "--json"});
  REQUIRE(done.code == 0);
  auto options = jwt_options{};
  options.keys.push_back({"", jwt_algorithm::hs256, secret, ""});
  auto keys = jwt::make(std::move(options));
  REQUIRE(keys);
  auto who = keys->verify(parse_json_text(done.out)->at("token").get<std::string>());
  REQUIRE(who);
  CHECK(who->subject == "ci");
  CHECK(who->level == token_level::submit);
  CHECK(who->token_id == "t1");
  CHECK(client({"token", "--secret-file", file, "--role", "none"}).code == 2);
  CHECK(client({"token", "--secret-file", file, "--ttl", "5"}).code == 2);
  CHECK(client({"token", "--secret-file", file, "--ttl", "100d"}).code == 2);
  CHECK(client({"token", "--data", folder.path() + "/none"}).code == 8);
}

TEST_CASE("the completion script of the folder is what the program prints") {
  CHECK(client({"completion", "bash"}).out
        == slurp(TROUPE_SOURCE_DIR "/nodes/completion/troupe.bash"));
}

TEST_CASE("every verb has help with examples") {
  for (auto verb : verbs) {
    auto done = client({verb, "--help"});
    INFO(verb);
    CHECK(done.code == 0);
    CHECK(done.out.find("Examples:\n  troupe ") != std::string::npos);
  }
}

TEST_CASE("an unknown word is named, with the nearest one that is known") {
  struct typo {
    std::vector<std::string> arguments;
    const char* text;
  };
  const auto all = std::vector<typo>{
    {{"submitt", "hello"}, "unknown verb \"submitt\", did you mean \"submit\"?"},
    {{"--json", "wacth", "--timeout", "5s"}, "unknown verb \"wacth\", did you mean \"watch\"?"},
    {{"config", "chek", "x.yaml"}, "unknown verb \"chek\", did you mean \"check\"?"},
    {{"completion", "zsh"}, "unknown verb \"zsh\"; there are bash"},
    {{"defenestrate"}, "unknown verb \"defenestrate\"; there are submit, watch, "},
    {{}, "a verb is missing; there are submit, watch, "},
    {{"ls", "--limt=3"}, "unknown option \"--limt\", did you mean \"--limit\"?"},
    {{"--sever", "x", "ls"}, "unknown option \"--sever\", did you mean \"--server\"?"},
    {{"a\x1b[2J"}, "unknown verb \"a\\x1b[2J\""},
  };
  for (const auto& [arguments, text] : all) {
    auto done = client(arguments);
    INFO(done.err);
    CHECK(done.code == 2);
    CHECK(done.err.find(text) != std::string::npos);
  }
}

TEST_CASE("options that would be ignored are refused") {
  const auto job = std::string{"01970a5e-7f3c-7a10-8a55-0123456789ab"};
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"artifacts", job, "-o", "file"},
                                             {"submit", "hello", "--no-wait", "--log"},
                                             {"submit", "hello", "--raw"},
                                             {"watch", job, "--raw"},
                                             {"retry", job, "--no-wait", "--log"},
                                             {"ls", "--all", "--limit", "3"}}) {
    auto done = client(arguments);
    INFO(arguments[0] << ": " << done.err);
    CHECK(done.code == 2);
    CHECK(done.err.find("--") < done.err.find('\n'));
  }
}

TEST_CASE("with --json wrong usage is one JSON object on standard output") {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"--json"},
                                             {"submitt", "--json"},
                                             {"--json", "ls", "--limit", "0"},
                                             {"ls", "--limt", "--json"},
                                             {"token", "-e", "a@b", "--json"},
                                             {"show", "42", "--json"}}) {
    auto done = client(arguments);
    INFO(done.out << done.err);
    CHECK(done.code == (arguments[0] == "token" ? 1 : 2));
    auto body = parse_json_text(done.out);
    REQUIRE(body);
    CHECK(body->at("error").at("code") == "invalid_argument");
    CHECK_FALSE(body->at("error").at("message").get<std::string>().empty());
  }
  CHECK(client({"show", "--", "--json"}).out.empty());
}

TEST_CASE("wrong usage is one line and exit code 2") {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                     {"fly"},
                                                                     {"ls", "--limit", "0"},
                                                                     {"submit"},
                                                                     {"show", "42"},
                                                                     {"ls", "--timeout", "5"}}) {
    auto done = client(arguments);
    CHECK(done.code == 2);
    CHECK(done.err.starts_with("troupe: "));
    CHECK(done.out.empty());
  }
}

TEST_CASE("output that cannot be written is no success") {
  auto full = std::ofstream{"/dev/full"};
  auto err = std::ostringstream{};
  CHECK(cli::run_client({"version"}, cli::terminal{full, err, false, false}) == 2);
  CHECK(err.str() == "troupe: standard output: cannot be written\n");
}
