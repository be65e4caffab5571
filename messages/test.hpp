#pragma once

#include "messages/codec.hpp"

#include <optional>
#include <string>
#include <vector>

/// What a job of kind "test" is asked to do. Source: spec/testing.md 1.1, 2.
namespace troupe {

/// A package source to add before the test.
struct repository {
  std::string name;    ///< Unnamed ones become "repo-0", "repo-1", ...
  std::string url;     ///< Base URL, or a whole "deb ..." line for apt.
  std::string gpg_key; ///< URL or ASCII-armored key; empty = packages are not verified.

  static constexpr auto type_name = "troupe::repository";
  static constexpr auto fields = std::tuple{
    field{"name",
          &repository::name,
          {.doc = "Name of the source.", .pattern = "name", .max_size = 128}},
    field{"url", &repository::url, {.doc = "Base URL or a whole apt line.", .max_size = 2048}},
    field{"gpg_key", &repository::gpg_key, {.doc = "Signing key: https URL or armored text."}},
  };
};

/// One further test: a script given here, or files of a git repository.
struct third_party_test {
  std::string name;     ///< Name of the stage: "third_party.<name>".
  std::string script;   ///< Text of the script; empty if `url` is set.
  std::string url;      ///< Git repository (https).
  std::string test_dir; ///< Folder in it.
  std::string git_ref = "master";
  std::vector<std::string> tests_to_run; ///< File names; empty = all.

  static constexpr auto type_name = "troupe::third_party_test";
  static constexpr auto fields = std::tuple{
    field{"name", &third_party_test::name, {.pattern = "name", .max_size = 128}},
    field{"script",
          &third_party_test::script,
          {.doc = "Script with a #! line, run as root in the container."}},
    field{
      "url", &third_party_test::url, {.doc = "Git repository, http or https.", .max_size = 2048}},
    field{"test_dir", &third_party_test::test_dir, {.max_size = 512}},
    field{"git_ref", &third_party_test::git_ref, {.pattern = "git_ref", .max_size = 256}},
    field{"tests_to_run", &third_party_test::tests_to_run, {.pattern = "name", .max_size = 256}},
  };
};

/// One variable of the test environment. Values of secret ones are masked in every log.
struct test_variable {
  std::string name;
  std::string value;
  bool secret = false;

  static constexpr auto type_name = "troupe::test_variable";
  static constexpr auto fields = std::tuple{
    field{"name", &test_variable::name, {.required = true, .pattern = "variable", .max_size = 128}},
    field{"value", &test_variable::value, {.max_size = 8192}},
    field{"secret", &test_variable::secret},
  };
};

/// Spec of a job of kind "test": install and test one package.
struct test_spec {
  std::string runner_type;  ///< "docker", "exec", "fake", ... never "any" here.
  std::string dist_name;    ///< "debian", "almalinux", ...
  std::string dist_version; ///< "12", "9.4", ...
  std::string dist_arch;    ///< As asked: "x86_64", "i686", "amd64", ...
  std::vector<repository> repositories;
  std::string package_name;
  std::string package_version; ///< Empty = newest; for rpm "version-release".
  std::string package_epoch;   ///< Decimal, empty = none.
  std::string module_name;
  std::string module_stream;
  std::string module_version;
  std::vector<third_party_test> tests;
  std::vector<test_variable> variables;
  bool verbose = false;
  std::optional<int64_t> bs_task_id; ///< The caller's own number; `/cancel_tasks` speaks it.
  std::string callback_href;
  caf::timespan stage_timeout{0}; ///< 0 = the runner's defaults per stage.

  static constexpr auto type_name = "troupe::test_spec";
  static constexpr auto fields = std::tuple{
    field{"runner_type", &test_spec::runner_type},
    field{"dist_name", &test_spec::dist_name},
    field{"dist_version", &test_spec::dist_version},
    field{"dist_arch", &test_spec::dist_arch},
    field{"repositories", &test_spec::repositories},
    field{"package_name", &test_spec::package_name},
    field{"package_version", &test_spec::package_version},
    field{"package_epoch", &test_spec::package_epoch},
    field{"module_name", &test_spec::module_name},
    field{"module_stream", &test_spec::module_stream},
    field{"module_version", &test_spec::module_version},
    field{"tests", &test_spec::tests},
    field{"variables", &test_spec::variables},
    field{"verbose", &test_spec::verbose},
    field{"bs_task_id", &test_spec::bs_task_id},
    field{"callback_href", &test_spec::callback_href},
    field{"stage_timeout", &test_spec::stage_timeout},
  };
};

} // namespace troupe
