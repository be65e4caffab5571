#pragma once

#include "bridges/http/routes/submission.hpp"

/// The bodies of native submissions.
namespace troupe {

/// Body of POST /jobs: a job of kind "test".
struct job_request {
  std::string kind = "test";
  std::string runner_type = "any";
  std::string dist_name;
  std::string dist_version;
  std::string dist_arch;
  std::vector<repository> repositories;
  std::string package_name;
  std::string package_version;
  std::string package_epoch;
  std::string module_name;
  std::string module_stream;
  std::string module_version;
  std::vector<third_party_test> tests;
  std::vector<test_variable> variables;
  bool verbose = false;
  std::optional<int64_t> bs_task_id;
  std::string callback_href;
  caf::timespan stage_timeout{0};
  int32_t priority = 5;
  std::optional<uint32_t> retries;
  bool retry_on_timeout = false;
  caf::timespan queue_deadline{0};
  caf::timespan run_deadline{0};
  std::vector<std::string> capabilities;
  labels tags;

  static constexpr auto type_name = "troupe::job_request";
  static constexpr auto fields = std::tuple{
    field{"kind", &job_request::kind, {.doc = "Kind of work.", .one_of = "test"}},
    field{"runner_type",
          &job_request::runner_type,
          {.doc = "\"any\" leaves the choice to the system.", .pattern = "word", .max_size = 64}},
    field{"dist_name",
          &job_request::dist_name,
          {.doc = "debian, almalinux, ...", .required = true, .pattern = "word", .max_size = 64}},
    field{"dist_version",
          &job_request::dist_version,
          {.doc = "\"12\", \"9.4\", ...", .required = true, .pattern = "word", .max_size = 64}},
    field{
      "dist_arch",
      &job_request::dist_arch,
      {.doc = "x86_64, i686, aarch64, ...", .required = true, .pattern = "word", .max_size = 64}},
    field{"repositories",
          &job_request::repositories,
          {.doc = "Sources to add before the test.", .max_size = 64}},
    field{"package_name",
          &job_request::package_name,
          {.required = true, .pattern = "name", .max_size = 128}},
    field{"package_version",
          &job_request::package_version,
          {.doc = "For rpm version-release; empty = newest.", .pattern = "name", .max_size = 128}},
    field{"package_epoch",
          &job_request::package_epoch,
          {.doc = "Decimal.", .pattern = "word", .max_size = 10}},
    field{"module_name", &job_request::module_name, {.pattern = "name", .max_size = 128}},
    field{"module_stream", &job_request::module_stream, {.pattern = "name", .max_size = 128}},
    field{"module_version", &job_request::module_version, {.pattern = "name", .max_size = 128}},
    field{"tests", &job_request::tests, {.doc = "Further tests.", .max_size = 64}},
    field{
      "variables", &job_request::variables, {.doc = "Variables of the tests.", .max_size = 256}},
    field{"verbose", &job_request::verbose},
    field{"bs_task_id", &job_request::bs_task_id, {.doc = "The caller's own number."}},
    field{"callback_href", &job_request::callback_href, {.pattern = "line", .max_size = 2048}},
    field{"stage_timeout",
          &job_request::stage_timeout,
          {.doc = "Seconds per stage; 0 = the runner's."}},
    field{"priority", &job_request::priority, {.doc = "1..10, higher first.", .min = 1, .max = 10}},
    field{"retries",
          &job_request::retries,
          {.doc = "Further runs after infrastructure errors.", .min = 0, .max = 49}},
    field{"retry_on_timeout", &job_request::retry_on_timeout},
    field{"queue_deadline",
          &job_request::queue_deadline,
          {.doc = "Seconds without a run; 0 = the default."}},
    field{
      "run_deadline", &job_request::run_deadline, {.doc = "Seconds of one run; 0 = the default."}},
    field{"capabilities",
          &job_request::capabilities,
          {.doc = "What the runner must offer.", .pattern = "word", .max_size = 64}},
    field{"tags", &job_request::tags, {.doc = "For filters and people.", .max_size = 256}},
  };
};

/// Body of POST /jobs/batch.
struct job_batch_request {
  std::vector<job_request> jobs;

  static constexpr auto type_name = "troupe::job_batch_request";
  static constexpr auto fields = std::tuple{
    field{"jobs",
          &job_batch_request::jobs,
          {.doc = "1..1024 jobs, accepted together.", .required = true, .max_size = 1024}},
  };
};

} // namespace troupe
