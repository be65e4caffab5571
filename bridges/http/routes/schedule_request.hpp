#pragma once

#include "bridges/http/routes/submission.hpp"

/// The bodies of the ALTS-compatible paths. Source: spec/testing.md 1.1.
namespace troupe {

struct schedule_repository {
  std::string name;
  std::string url;
  std::string baseurl;
  std::string gpg_key;

  static constexpr auto type_name = "troupe::schedule_repository";
  static constexpr auto fields = std::tuple{
    field{"name",
          &schedule_repository::name,
          {.doc = "Unnamed ones become repo-0, repo-1, ...", .pattern = "name", .max_size = 128}},
    field{"url",
          &schedule_repository::url,
          {.doc = "Base URL or a whole deb line; `baseurl` says the same.",
           .pattern = "line",
           .max_size = 2048}},
    field{"baseurl", &schedule_repository::baseurl, {.pattern = "line", .max_size = 2048}},
    field{
      "gpg_key", &schedule_repository::gpg_key, {.doc = "Signing key: https URL or armored text."}},
  };
};

struct schedule_test {
  std::string url;
  std::string test_dir;
  std::string git_ref = "master";
  std::vector<std::string> tests_to_run;

  static constexpr auto type_name = "troupe::schedule_test";
  static constexpr auto fields = std::tuple{
    field{"url",
          &schedule_test::url,
          {.doc = "Git repository, http or https.",
           .required = true,
           .pattern = "line",
           .max_size = 2048}},
    field{"test_dir",
          &schedule_test::test_dir,
          {.doc = "Folder in it.", .pattern = "line", .max_size = 512}},
    field{"git_ref", &schedule_test::git_ref, {.pattern = "git_ref", .max_size = 256}},
    field{"tests_to_run",
          &schedule_test::tests_to_run,
          {.doc = "File names; empty = all.", .pattern = "name", .max_size = 256}},
  };
};

struct schedule_test_env {
  std::vector<std::string> extra_env_vars;

  static constexpr auto type_name = "troupe::schedule_test_env";
  static constexpr auto fields = std::tuple{
    field{"extra_env_vars",
          &schedule_test_env::extra_env_vars,
          {.doc = "Variables of the tests, each \"NAME=value\".", .max_size = 8192}},
  };
};

struct schedule_test_configuration {
  std::vector<schedule_test> tests;
  std::optional<schedule_test_env> test_env;

  static constexpr auto type_name = "troupe::schedule_test_configuration";
  static constexpr auto fields = std::tuple{
    field{"tests", &schedule_test_configuration::tests, {.max_size = 64}},
    field{"test_env", &schedule_test_configuration::test_env},
  };
};

/// Body of POST /tasks/schedule. Unknown keys are ignored, as the original does.
struct schedule_request {
  std::string runner_type = "any";
  std::string dist_name;
  std::string dist_version;
  std::string dist_arch;
  std::vector<schedule_repository> repositories;
  std::string package_name;
  std::string package_version;
  std::string package_channel;
  std::optional<int64_t> package_epoch;
  std::optional<schedule_test_configuration> test_configuration;
  std::string module_name;
  std::string module_stream;
  std::string module_version;
  std::string callback_href;
  std::optional<int64_t> bs_task_id;
  bool verbose = false;
  int32_t priority = 5;

  static constexpr auto type_name = "troupe::schedule_request";
  static constexpr auto fields = std::tuple{
    field{"runner_type",
          &schedule_request::runner_type,
          {.doc = "\"any\" leaves the choice to the system.", .pattern = "word", .max_size = 64}},
    field{"dist_name",
          &schedule_request::dist_name,
          {.doc = "debian, almalinux, ...", .required = true, .pattern = "word", .max_size = 64}},
    field{
      "dist_version",
      &schedule_request::dist_version,
      {.doc = "A number is accepted too.", .required = true, .pattern = "word", .max_size = 64}},
    field{
      "dist_arch",
      &schedule_request::dist_arch,
      {.doc = "x86_64, i686, aarch64, ...", .required = true, .pattern = "word", .max_size = 64}},
    field{"repositories",
          &schedule_request::repositories,
          {.doc = "Sources to add before the test.", .max_size = 64}},
    field{"package_name",
          &schedule_request::package_name,
          {.required = true, .pattern = "name", .max_size = 128}},
    field{"package_version",
          &schedule_request::package_version,
          {.doc = "For rpm version-release; empty = newest.", .pattern = "name", .max_size = 128}},
    field{"package_channel", &schedule_request::package_channel, {.one_of = "stable|beta"}},
    field{"package_epoch", &schedule_request::package_epoch, {.min = 0, .max = 2147483647}},
    field{"test_configuration", &schedule_request::test_configuration},
    field{"module_name",
          &schedule_request::module_name,
          {.doc = "Used when all three are set.", .pattern = "name", .max_size = 128}},
    field{"module_stream", &schedule_request::module_stream, {.pattern = "name", .max_size = 128}},
    field{
      "module_version", &schedule_request::module_version, {.pattern = "name", .max_size = 128}},
    field{"callback_href", &schedule_request::callback_href, {.pattern = "line", .max_size = 2048}},
    field{"bs_task_id",
          &schedule_request::bs_task_id,
          {.doc = "The caller's own number, for /cancel_tasks."}},
    field{"verbose", &schedule_request::verbose},
    field{"priority",
          &schedule_request::priority,
          {.doc = "1..10, higher first.", .min = 1, .max = 10}},
  };
};

/// Answer of POST /tasks/schedule.
struct schedule_answer {
  bool success = true;
  job_id task;
  std::string api_version{alts_api_version};

  static constexpr auto type_name = "troupe::schedule_answer";
  static constexpr auto fields = std::tuple{
    field{"success", &schedule_answer::success},
    field{"task_id", &schedule_answer::task},
    field{"api_version", &schedule_answer::api_version},
  };
};

/// Body of POST /cancel_tasks.
struct cancel_tasks_request {
  std::vector<int64_t> bs_task_ids;

  static constexpr auto type_name = "troupe::cancel_tasks_request";
  static constexpr auto fields = std::tuple{
    field{"bs_task_ids", &cancel_tasks_request::bs_task_ids, {.required = true, .max_size = 1024}},
  };
};

/// Answer of POST /cancel_tasks.
struct cancel_tasks_answer {
  bool success = true;

  static constexpr auto type_name = "troupe::cancel_tasks_answer";
  static constexpr auto fields = std::tuple{field{"success", &cancel_tasks_answer::success}};
};

/// Reads a body and returns the test that it asks for. Every fault is named by
/// the field of the request.
test_spec read_schedule_request(json body, job_terms& terms, std::vector<json_fault>& faults);

} // namespace troupe
