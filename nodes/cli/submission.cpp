#include "nodes/cli/submission.hpp"

#include "config/text_file.hpp"
#include "messages/test.hpp"

#include <sys/utsname.h>

#include <cstdlib>

namespace troupe::cli {

namespace {

constexpr auto longest_file = size_t{64} << 10;

caf::error refuse(const char* option, std::string text) {
  return fault_at(ec::invalid_argument, option, std::move(text));
}

/// Splits "NAME=rest"; the name is empty if what stands there is none.
std::pair<std::string, std::string> split_name(const std::string& text) {
  auto equals = text.find('=');
  if (equals == std::string::npos || !obeys("name", std::string_view{text}.substr(0, equals)))
    return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

caf::error read_dist(const std::string& text, test_spec& out) {
  auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
    return refuse("--dist", "must be NAME:VERSION, as \"debian:12\"");
  out.dist_name = text.substr(0, colon);
  out.dist_version = text.substr(colon + 1);
  return caf::none;
}

caf::error read_repositories(const submission& in, test_spec& out) {
  for (const auto& text : in.repositories) {
    auto [name, url] = split_name(text);
    if (url.empty())
      return refuse("--repo", "\"" + text + "\" has no URL");
    out.repositories.push_back({name, url, ""});
  }
  for (const auto& text : in.gpg_keys) {
    auto [name, path] = split_name(text);
    auto key = path.starts_with("https://") ? caf::expected<std::string>{path}
                                            : read_text_file(path, longest_file);
    if (!key)
      return refuse("--gpg-key", path + ": " + explain(key.error()).text);
    auto used = false;
    for (auto& repo : out.repositories)
      if (name.empty() || repo.name == name) {
        repo.gpg_key = *key;
        used = true;
      }
    if (!used)
      return refuse("--gpg-key",
                    name.empty() ? "there is no --repo" : "no --repo is named " + name);
  }
  return caf::none;
}

caf::error read_tests(const submission& in, test_spec& out) {
  for (const auto& path : in.tests) {
    auto script = read_text_file(path, longest_file);
    if (!script)
      return refuse("--test", path + ": " + explain(script.error()).text);
    auto test = third_party_test{};
    test.name = path.substr(path.rfind('/') + 1);
    if (!obeys("name", test.name))
      return refuse("--test", "\"" + test.name + "\" cannot name a test");
    test.script = std::move(*script);
    out.tests.push_back(std::move(test));
  }
  return caf::none;
}

caf::error read_variables(const submission& in, test_spec& out) {
  for (const auto& text : in.variables) {
    auto equals = text.find('=');
    if (equals == std::string::npos || !obeys("variable", std::string_view{text}.substr(0, equals)))
      return refuse("--env", "must be NAME=value");
    out.variables.push_back({text.substr(0, equals), text.substr(equals + 1), false});
  }
  for (const auto& name : in.secrets) {
    auto value = obeys("variable", name) ? std::getenv(name.c_str()) : nullptr;
    if (!value)
      return refuse("--secret-env", "the variable " + name + " is not set here");
    out.variables.push_back({name, value, true});
  }
  return caf::none;
}

} // namespace

std::string machine_architecture() {
  auto name = utsname{};
  return ::uname(&name) == 0 ? name.machine : "x86_64";
}

caf::expected<json> submission_body(const submission& in) {
  auto test = test_spec{};
  test.package_name = in.package;
  test.package_version = in.version;
  test.runner_type = in.runner;
  test.dist_arch = in.arch.empty() ? machine_architecture() : in.arch;
  for (auto err : {read_dist(in.dist, test), read_repositories(in, test), read_tests(in, test),
                   read_variables(in, test)})
    if (err)
      return err;
  auto out = write_json(test);
  out["kind"] = "test";
  if (in.priority)
    out["priority"] = *in.priority;
  return out;
}

} // namespace troupe::cli
