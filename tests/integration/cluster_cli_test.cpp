/// `troupe cluster`: what it makes is checked by another program, and what goes
/// wrong on the way leaves nothing half made.
#include "messages/json.hpp"
#include "nodes/cli/program.hpp"
#include "nodes/cluster/authority/authority.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/slurp.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace troupe;
namespace fs = std::filesystem;

namespace {

constexpr auto day = int64_t{86400};
const auto troupe_program = std::string{TROUPE_BINARY_DIR "/nodes/troupe"};

struct answer {
  int code = 0;
  std::string out;
  std::string err;
  json value() const {
    auto parsed = parse_json_text(out);
    return parsed ? *parsed : json{};
  }
};

/// An authority in a folder of its own, driven by the command line.
struct cluster_folder {
  tests::temp_folder root;
  std::string dir = root.path() + "/cluster";

  answer run(std::vector<std::string> arguments, bool as_json = false) const {
    arguments.insert(arguments.begin(), "cluster");
    if (as_json)
      arguments.emplace_back("--json");
    auto out = std::ostringstream{};
    auto err = std::ostringstream{};
    auto code = cli::run_client(arguments, cli::terminal{out, err, false, false});
    return {code, out.str(), err.str()};
  }
  answer init() const {
    return run({"init", "--dir", dir});
  }
  answer cert(std::vector<std::string> arguments, bool as_json = false) const {
    arguments.insert(arguments.begin(), "cert");
    arguments.insert(arguments.end(), {"--dir", dir});
    return run(std::move(arguments), as_json);
  }
  std::string file(const std::string& name) const {
    return dir + '/' + name;
  }
};

mode_t mode_of(const std::string& path) {
  struct stat is {};
  REQUIRE(::stat(path.c_str(), &is) == 0);
  return is.st_mode & 0777;
}

tests::finished_process openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  return tests::run_process(arguments);
}

std::vector<std::string> names_in(const std::string& folder) {
  auto out = std::vector<std::string>{};
  for (const auto& entry : fs::directory_iterator{folder})
    out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("openssl accepts a node's certificate for server and client under its own names only") {
  auto it = cluster_folder{};
  REQUIRE(it.init().code == 0);
  REQUIRE(
    it.cert({"state-1", "--host", "state-1.example.org", "--host", "10.0.0.2", "--host", "fd00::2"})
      .code
    == 0);
  for (const auto* purpose : {"sslserver", "sslclient"}) {
    auto done = openssl({"verify", "-x509_strict", "-purpose", purpose, "-CAfile",
                         it.file("ca.pem"), it.file("state-1/node.pem")});
    INFO(done.output);
    CHECK(done.exit_code == 0);
  }
  auto as = [&](const std::string& option, const std::string& name) {
    return openssl(
             {"verify", "-CAfile", it.file("ca.pem"), option, name, it.file("state-1/node.pem")})
      .exit_code;
  };
  CHECK(as("-verify_hostname", "state-1") == 0);
  CHECK(as("-verify_hostname", "state-1.example.org") == 0);
  CHECK(as("-verify_ip", "10.0.0.2") == 0);
  CHECK(as("-verify_ip", "fd00::2") == 0);
  CHECK(as("-verify_hostname", "state-2") != 0);
  CHECK(as("-verify_ip", "10.0.0.3") != 0);
  CHECK(openssl({"verify", "-purpose", "smimesign", "-CAfile", it.file("ca.pem"),
                 it.file("state-1/node.pem")})
          .exit_code
        != 0);
}

TEST_CASE("a node's certificate can sign no other, and a stranger's authority does not count") {
  auto it = cluster_folder{};
  auto other = cluster_folder{};
  REQUIRE(it.init().code == 0);
  REQUIRE(other.init().code == 0);
  REQUIRE(it.cert({"a"}).code == 0);
  auto text = openssl({"x509", "-noout", "-text", "-in", it.file("a/node.pem")}).output;
  INFO(text);
  CHECK(text.find("CA:FALSE") != std::string::npos);
  CHECK(text.find("Version: 3") != std::string::npos);
  CHECK(text.find("TLS Web Server Authentication, TLS Web Client Authentication")
        != std::string::npos);
  auto ca = openssl({"x509", "-noout", "-text", "-in", it.file("ca.pem")}).output;
  CHECK(ca.find("CA:TRUE, pathlen:0") != std::string::npos);
  CHECK(ca.find("Certificate Sign, CRL Sign") != std::string::npos);
  CHECK(openssl({"verify", "-CAfile", other.file("ca.pem"), it.file("a/node.pem")}).exit_code != 0);
}

TEST_CASE("keys are for their owner only, and the fingerprint is the public key's") {
  auto it = cluster_folder{};
  REQUIRE(it.init().code == 0);
  auto made = it.cert({"runner-1", "--role", "tests"}, true).value();
  CHECK(mode_of(it.dir) == 0700);
  CHECK(mode_of(it.file("ca.key")) == 0600);
  CHECK(mode_of(it.file("runner-1")) == 0700);
  CHECK(mode_of(it.file("runner-1/node.key")) == 0600);
  CHECK(names_in(it.dir) == names{"ca.key", "ca.pem", "runner-1"});
  CHECK(names_in(it.file("runner-1")) == names{"ca.pem", "node.key", "node.pem"});
  CHECK(tests::slurp(it.file("ca.pem")) == tests::slurp(it.file("runner-1/ca.pem")));
  auto der = it.file("public.der");
  REQUIRE(openssl({"pkey", "-in", it.file("runner-1/node.key"), "-pubout", "-outform", "DER",
                   "-out", der})
            .exit_code
          == 0);
  auto hash = openssl({"dgst", "-sha256", "-r", der}).output.substr(0, 64);
  auto fingerprint = made.at("fingerprint").get<std::string>();
  CHECK(fingerprint == "sha256:" + hash);
  CHECK(made.at("peers") == "runner-1: {roles: [tests], fingerprint: \"" + fingerprint + "\"}");
}

TEST_CASE("nothing that is there is overwritten") {
  auto it = cluster_folder{};
  REQUIRE(it.init().code == 0);
  auto key = tests::slurp(it.file("ca.key"));
  auto again = it.init();
  CHECK(again.code == 2);
  CHECK(again.err.find("never overwritten") != std::string::npos);
  CHECK(tests::slurp(it.file("ca.key")) == key);
  REQUIRE(it.cert({"a"}).code == 0);
  auto node = tests::slurp(it.file("a/node.key"));
  auto refused = it.cert({"a"});
  CHECK(refused.code == 2);
  CHECK(refused.err.find("--renew") != std::string::npos);
  CHECK(tests::slurp(it.file("a/node.key")) == node);
  // A folder with something else in it is somebody's.
  fs::create_directory(it.file("b"));
  std::ofstream{it.file("b/notes")} << "mine";
  CHECK(it.cert({"b"}).code == 2);
  CHECK(names_in(it.file("b")) == names{"notes"});
  std::ofstream{it.file("c")} << "mine";
  CHECK(it.cert({"c"}).code == 2);
  CHECK(tests::slurp(it.file("c")) == "mine");
  CHECK(names_in(it.dir) == names{"a", "b", "c", "ca.key", "ca.pem"});
}

TEST_CASE("an authority may be made in a folder that is there, and beside half of one it is not") {
  auto it = cluster_folder{};
  fs::create_directory(it.dir);
  std::ofstream{it.file("README")} << "ours";
  CHECK(it.init().code == 0);
  fs::remove(it.file("ca.pem"));
  CHECK(it.init().code == 2);
  CHECK(it.run({"init", "--dir", it.file("README")}).code == 2);
  CHECK(it.run({"init", "--dir", it.root.path() + "/no/such/place"}).code == 3);
}

TEST_CASE("a renewed certificate keeps key and hosts, or has a new key if that is wanted") {
  auto it = cluster_folder{};
  REQUIRE(it.init().code == 0);
  CHECK(it.cert({"a", "--renew"}).code == 8);
  auto first = it.cert({"a", "--host", "a.example.org", "--host", "10.0.0.9"}, true).value();
  auto second = it.cert({"a", "--renew", "--days", "30"}, true).value();
  CHECK(second.at("fingerprint") == first.at("fingerprint"));
  CHECK(second.at("hosts") == json{"a.example.org", "10.0.0.9"});
  CHECK(second.at("serial") != first.at("serial"));
  CHECK(second.at("not_after") < first.at("not_after"));
  auto third = it.cert({"a", "--renew", "--new-key", "--host", "b.example.org"}, true).value();
  CHECK(third.at("fingerprint") != first.at("fingerprint"));
  CHECK(third.at("hosts") == json{"b.example.org"});
  CHECK(third.at("troubles").empty());
  CHECK(mode_of(it.file("a/node.key")) == 0600);
  CHECK(names_in(it.file("a")) == names{"ca.pem", "node.key", "node.pem"});
  CHECK(it.cert({"b", "--new-key"}).code == 2);
}

TEST_CASE("names, hosts and times that make no sense are refused with their option") {
  auto it = cluster_folder{};
  CHECK(it.cert({"a"}).code == 8); // no authority yet
  REQUIRE(it.init().code == 0);
  REQUIRE(it.cert({"runner-1"}).code == 0);
  for (const auto* name : {"", ".", "..", "../x", "a/b", "-a", "_a", "a b", "a,DNS:b", "*", "a\nb",
                           "ca.pem", "ca.key", "\xC3\xA9"}) {
    auto done = it.cert({"--", name});
    INFO(name << ": " << done.err);
    CHECK(done.code == 2);
  }
  CHECK(it.cert({std::string(129, 'a')}).code == 2);
  for (const auto* host : {"", "*.example.org", "a,DNS:b", "10.0.0.1/8", "a:b", "runner-1"}) {
    auto done = it.cert({"x", std::string{"--host="} + host});
    INFO(host << ": " << done.err);
    CHECK(done.code == 2);
  }
  for (const auto* days : {"0", "-1", "7301", "99999999999", "x"})
    CHECK(it.cert({"x", std::string{"--days="} + days}).code == 2);
  CHECK(it.cert({"x", "--days", "3651"}).err.find("the authority ends before; at most 36")
        != std::string::npos);
  CHECK(it.cert({"x", "--role", "everything"}).code == 2);
  CHECK(names_in(it.dir) == names{"ca.key", "ca.pem", "runner-1"});
}

TEST_CASE("a name longer than a common name may be stands among the names alone") {
  auto it = cluster_folder{};
  REQUIRE(it.init().code == 0);
  auto name = std::string(128, 'n');
  REQUIRE(it.cert({name}).code == 0);
  CHECK(
    openssl({"verify", "-x509_strict", "-CAfile", it.file("ca.pem"), it.file(name + "/node.pem")})
      .exit_code
    == 0);
  auto all = it.run({"show", it.dir}, true).value();
  CHECK(all.at("nodes").at(0).at("name") == name);
}

TEST_CASE("an authority's key that others may read signs nothing") {
  auto it = cluster_folder{};
  REQUIRE(it.init().code == 0);
  fs::permissions(it.file("ca.key"), fs::perms::group_read, fs::perm_options::add);
  auto done = it.cert({"a"});
  CHECK(done.code == 7);
  CHECK(done.err.find("chmod 600") != std::string::npos);
  CHECK(names_in(it.dir) == names{"ca.key", "ca.pem"});
  CHECK(it.run({"show", it.dir}).code == 2);
}

TEST_CASE("damaged files of an authority are named") {
  auto it = cluster_folder{};
  auto other = cluster_folder{};
  REQUIRE(it.init().code == 0);
  REQUIRE(other.init().code == 0);
  auto key = tests::slurp(it.file("ca.key"));
  auto expect = [&](int code, const std::string& what) {
    auto done = it.cert({"a"});
    INFO(done.err);
    CHECK(done.code == code);
    CHECK(done.err.find(what) != std::string::npos);
  };
  std::ofstream{it.file("ca.key")} << tests::slurp(other.file("ca.key"));
  expect(2, "ca.key: is not the key of ca.pem");
  std::ofstream{it.file("ca.key")} << "rubbish";
  expect(2, "ca.key: holds no private key");
  fs::remove(it.file("ca.key"));
  expect(8, "ca.key");
  std::ofstream{it.file("ca.key")} << key;
  std::ofstream{it.file("ca.pem")} << "rubbish";
  expect(2, "ca.pem: holds no certificate");
  CHECK(it.run({"show", it.dir}).code == 2);
}

TEST_CASE("show lists what is there and exits with 2 if something is no good") {
  auto it = cluster_folder{};
  CHECK(it.run({"show", it.dir}).code == 8);
  REQUIRE(it.init().code == 0);
  REQUIRE(it.cert({"b"}).code == 0);
  REQUIRE(it.cert({"a", "--days", "90"}).code == 0);
  auto good = it.run({"show", it.dir});
  CHECK(good.code == 0);
  REQUIRE(good.out.find("\nb ") != std::string::npos);
  CHECK(good.out.find("\na ") < good.out.find("\nb "));
  // A node's own folder has no key of the authority, and need not.
  CHECK(it.run({"show", it.file("a")}).code == 0);
  auto key = fs::path{it.file("a/node.key")};
  // A service's group may read it: so keys are mounted and installed.
  fs::permissions(key, fs::perms{0640});
  CHECK(it.run({"show", it.dir}).code == 0);
  fs::permissions(key, fs::perms{0644});
  CHECK(it.run({"show", it.dir}).code == 2);
  fs::permissions(key, fs::perms{0600});
  std::ofstream{it.file("a/node.key")} << tests::slurp(it.file("b/node.key"));
  auto bad = it.run({"show", it.dir}, true);
  CHECK(bad.code == 2);
  auto troubles = bad.value().at("nodes").at(0).at("troubles");
  REQUIRE(troubles.size() == 1);
  CHECK(troubles.at(0).get<std::string>().find("another certificate") != std::string::npos);
}

TEST_CASE("show says what is expired, what soon will be, and what is not valid yet") {
  auto it = cluster_folder{};
  REQUIRE(it.init().code == 0);
  REQUIRE(it.cert({"a", "--days", "90"}).code == 0);
  REQUIRE(it.cert({"b", "--days", "6"}).code == 0);
  auto now = static_cast<int64_t>(time(nullptr));
  auto troubles_after = [&](size_t node, int64_t days) {
    auto all = list_certificates(it.dir, now + days * day);
    REQUIRE(all);
    REQUIRE(all->nodes.size() == 2);
    const auto& found = all->nodes[node].troubles;
    return found.empty() ? std::string{} : found[0];
  };
  CHECK(troubles_after(0, 0) == "");
  CHECK(troubles_after(0, 59) == "");
  CHECK(troubles_after(0, 61).starts_with("expires in 2"));
  CHECK(troubles_after(0, 91) == "expired");
  CHECK(troubles_after(1, 1) == "");
  CHECK(troubles_after(1, 5) == "expires within two days");
  CHECK(troubles_after(0, -1).starts_with("not valid yet"));
}

TEST_CASE("a disk that fails leaves no half of an authority or node behind") {
  auto it = cluster_folder{};
  auto with_fault = [&](const std::string& inject, std::vector<std::string> arguments) {
    auto argv = std::vector<std::string>{"strace",       "-f",
                                         "-o",           "/dev/null",
                                         "-e",           "trace=fsync,link,rename,mkdir",
                                         "-e",           "inject=" + inject,
                                         troupe_program, "cluster"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(), {"--dir", it.dir});
    auto done = tests::run_process(argv);
    INFO(inject << ": " << done.output);
    CHECK(done.exit_code == 3);
    CHECK(done.output.find("troupe: " + it.dir) != std::string::npos);
  };
  fs::create_directory(it.dir);
  // In turn: the key, the folder with it, the certificate.
  for (const auto* when : {"1", "3"})
    with_fault(std::string{"fsync:error=ENOSPC:when="} + when, {"init"});
  with_fault("link:error=EIO", {"init"});
  CHECK(names_in(it.dir).empty());
  REQUIRE(it.init().code == 0);
  for (const auto* when : {"2", "3", "5", "7"})
    with_fault(std::string{"fsync:error=EIO:when="} + when, {"cert", "a"});
  with_fault("rename:error=EROFS:when=4", {"cert", "a"});
  with_fault("mkdir:error=ENOSPC", {"cert", "a"});
  CHECK(names_in(it.dir) == names{"ca.key", "ca.pem"});
  CHECK(it.cert({"a"}).code == 0);
}

TEST_CASE("what a killed command left behind hinders nobody") {
  auto it = cluster_folder{};
  REQUIRE(it.init().code == 0);
  fs::create_directory(it.file(".a.new"));
  std::ofstream{it.file(".a.new/.node.key.new")} << "half";
  std::ofstream{it.file(".a.new/node.key")} << "half a key";
  REQUIRE(it.cert({"a"}).code == 0);
  CHECK(names_in(it.file("a")) == names{"ca.pem", "node.key", "node.pem"});
  CHECK(it.run({"show", it.dir}).code == 0);
}
