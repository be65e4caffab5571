#include "nodes/cli/job_argument.hpp"

#include <CLI/CLI.hpp>

namespace troupe::cli {

namespace {

job_id read(const std::string& text) {
  auto id = parse_job_id(text);
  if (!id)
    throw CLI::ValidationError{"JOB", "\"" + text + "\" is not the id of a job (a UUID)"};
  return *id;
}

} // namespace

CLI::Option* add_job(CLI::App& verb, job_id& out) {
  return verb
    .add_option_function<std::string>(
      "JOB", [&out](const std::string& text) { out = read(text); }, "Id of a job")
    ->required();
}

CLI::Option* add_jobs(CLI::App& verb, std::vector<job_id>& out) {
  return verb
    .add_option_function<std::vector<std::string>>(
      "JOB",
      [&out](const std::vector<std::string>& texts) {
        for (const auto& text : texts)
          out.push_back(read(text));
      },
      "Ids of jobs")
    ->required();
}

} // namespace troupe::cli
