#include "actors/runners/package_sources.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;

namespace {

constexpr auto armored =
  "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n-----END PGP PUBLIC KEY BLOCK-----\n";

test_spec hello() {
  auto spec = test_spec{};
  spec.dist_name = "debian";
  spec.dist_version = "12";
  spec.dist_arch = "x86_64";
  spec.package_name = "hello";
  return spec;
}

std::string place_of_fault(const test_spec& spec) {
  auto why = check_test(spec);
  return why ? explain(why).place : "";
}

} // namespace

TEST_CASE("a base URL without a key is a flat repository, trusted as it is") {
  CHECK(apt_line({"r", "http://h/x", ""}, "amd64", "")
        == "deb [arch=amd64 trusted=yes] http://h/x ./");
}

TEST_CASE("with a key the repository is verified by that key alone") {
  CHECK(apt_line({"r", "http://h/x", armored}, "amd64", "/etc/apt/keyrings/r.asc")
        == "deb [arch=amd64 signed-by=/etc/apt/keyrings/r.asc] http://h/x ./");
}

TEST_CASE("a whole line keeps what its author wrote") {
  CHECK(apt_line({"", "deb http://h/debian bookworm main", ""}, "amd64", "")
        == "deb [arch=amd64 trusted=yes] http://h/debian bookworm main");
  CHECK(apt_line({"", "deb [arch=arm64 signed-by=/k.asc] http://h/d s main", ""}, "amd64", "")
        == "deb [arch=arm64 signed-by=/k.asc] http://h/d s main");
}

TEST_CASE("unnamed repositories are numbered, equal names are told apart") {
  CHECK(repository_names({{"", "u", ""}, {"a+b", "u", ""}, {"", "u", ""}, {"a:b", "u", ""}})
        == std::vector<std::string>{"repo-0", "a_b", "repo-1", "a_b-2"});
}

TEST_CASE("a repository of rpm packages checks signatures when it has a key") {
  CHECK(repo_file("r", {"r", "http://h/", ""}, "").find("gpgcheck=0") != std::string::npos);
  auto text = repo_file("r", {"r", "http://h/", "k"}, "file:///k");
  CHECK(text.find("gpgcheck=1\ngpgkey=file:///k\n") != std::string::npos);
  CHECK(text.find("gpgcheck=0") == std::string::npos);
}

TEST_CASE("a test that is well formed passes") {
  auto spec = hello();
  spec.package_version = "2.10-3+b1";
  spec.repositories = {{"", "deb http://h/debian bookworm main", armored},
                       {"b", "https://user:pass@h/x", "https://h/key.asc"}};
  spec.tests = {{"smoke", "#!/bin/sh\n", "", "", "master", {}},
                {"", "", "https://h/tests.git", "a/b", "main", {"x.sh"}}};
  CHECK(place_of_fault(spec).empty());
}

TEST_CASE("whatever could reach a command line obeys a rule first") {
  auto with = [](auto change) {
    auto spec = hello();
    change(spec);
    return place_of_fault(spec);
  };
  CHECK(with([](auto& s) { s.package_name = "a;b"; }) == "package_name");
  CHECK(with([](auto& s) { s.package_name = "-rf"; }) == "package_name");
  CHECK(with([](auto& s) { s.package_name = ""; }) == "package_name");
  CHECK(with([](auto& s) { s.package_name = "hello-"; }) == "package_name");
  CHECK(with([](auto& s) { s.package_version = "$(id)"; }) == "package_version");
  CHECK(with([](auto& s) { s.package_epoch = "1a"; }) == "package_epoch");
  CHECK(with([](auto& s) { s.dist_name = "plan9"; }) == "dist_name");
  CHECK(with([](auto& s) { s.dist_version = "9 x"; }) == "dist_version");
  CHECK(with([](auto& s) { s.module_name = "a b"; }) == "module_name");
  CHECK(with([](auto& s) { s.variables = {{"A=B", "", false}}; }) == "variables");
  auto repository_fault = [&](const char* url, const char* key) {
    return with([&](auto& s) { s.repositories = {{"r", url, key}}; });
  };
  CHECK(repository_fault("http://h/\ndeb http://evil/ ./", "") == "repositories[0].url");
  CHECK(repository_fault("http://h/ x", "") == "repositories[0].url");
  CHECK(repository_fault("gopher://h/", "") == "repositories[0].url");
  CHECK(repository_fault("deb [trusted=yes", "") == "repositories[0].url");
  CHECK(repository_fault("deb", "") == "repositories[0].url");
  CHECK(repository_fault("http://h/", "http://h/key") == "repositories[0].gpg_key");
  auto test_fault = [&](third_party_test test) {
    return with([&](auto& s) { s.tests = {std::move(test)}; });
  };
  CHECK(test_fault({"a/b", "x", "", "", "master", {}}) == "tests[0].name");
  CHECK(test_fault({"a", "", "", "", "master", {}}) == "tests[0].script");
  CHECK(test_fault({"a", "", "ssh://h/x", "", "master", {}}) == "tests[0].url");
  CHECK(test_fault({"a", "", "https://h/x", "../b", "master", {}}) == "tests[0].test_dir");
  CHECK(test_fault({"a", "", "https://h/x", "", "--upload-pack=x", {}}) == "tests[0].git_ref");
  CHECK(test_fault({"a", "", "https://h/x", "", "main", {"../x"}}) == "tests[0].tests_to_run");
}

TEST_CASE("secrets are the secret variables and the passwords in URLs") {
  auto spec = hello();
  spec.variables = {{"TOKEN", "s3cret-value", true}, {"PLAIN", "visible", false}};
  spec.repositories = {{"r", "https://joe:p%40ss@h/x@y", ""}};
  auto secrets = secrets_of(spec);
  for (auto* one : {"s3cret-value", "joe:p%40ss", "p%40ss", "p@ss"})
    CHECK(std::find(secrets.begin(), secrets.end(), one) != secrets.end());
  CHECK(std::find(secrets.begin(), secrets.end(), "visible") == secrets.end());
  CHECK(url_secrets("https://h/a@b").empty());
}
