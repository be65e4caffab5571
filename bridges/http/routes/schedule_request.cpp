#include "bridges/http/routes/schedule_request.hpp"

#include "bridges/http/routes/lax_json.hpp"

#include <algorithm>
#include <cctype>

namespace troupe {

namespace {

/// The original takes `dist_version` as a string or a whole number.
void number_to_text(json& body, const char* key) {
  auto i = body.find(key);
  if (i == body.end() || !i->is_number())
    return;
  read_laxly_as_whole(*i);
  if (i->is_number_integer())
    *i = i->dump();
}

/// Null is no value of these in the original, though it is absent for our reader:
/// puts what is of no type that they have.
void refuse_null(json& body, std::initializer_list<const char*> keys) {
  for (auto key : keys)
    if (auto i = body.find(key); i != body.end() && i->is_null())
      *i = json::object();
}

std::vector<test_variable> read_variables(const std::vector<std::string>& lines,
                                          std::vector<json_fault>& faults) {
  auto out = std::vector<test_variable>{};
  for (auto i = size_t{0}; i < lines.size(); ++i) {
    auto place = "test_configuration.test_env.extra_env_vars[" + std::to_string(i) + ']';
    auto equals = lines[i].find('=');
    auto name = lines[i].substr(0, equals);
    if (equals == std::string::npos || !obeys("variable", name))
      faults.push_back({std::move(place), "must be NAME=value"});
    else
      out.push_back({std::move(name), lines[i].substr(equals + 1), false});
  }
  return out;
}

third_party_test read_test(const schedule_test& in, size_t number) {
  auto out = third_party_test{};
  auto slash = in.url.find_last_of('/', in.url.size() - 2);
  auto name = in.url.substr(slash == std::string::npos ? 0 : slash + 1);
  while (name.ends_with('/'))
    name.pop_back();
  if (name.ends_with(".git"))
    name.resize(name.size() - 4);
  out.name = obeys("name", name) ? name : "test-" + std::to_string(number);
  out.url = in.url;
  out.test_dir = in.test_dir;
  // "./a/" and "/a" mean the folder a of the repository.
  while (out.test_dir.ends_with('/'))
    out.test_dir.pop_back();
  while (out.test_dir.starts_with("./") || out.test_dir.starts_with('/'))
    out.test_dir.erase(0, out.test_dir.front() == '/' ? 1 : 2);
  if (out.test_dir == ".")
    out.test_dir.clear();
  out.git_ref = in.git_ref.empty() ? "master" : in.git_ref;
  out.tests_to_run = in.tests_to_run;
  return out;
}

/// Renames the places of `complete_test` to those of the request.
std::string request_place(const std::string& place, const schedule_request& in) {
  if (place.starts_with("tests["))
    return "test_configuration." + place;
  auto tail = std::string_view{".url"};
  if (!place.starts_with("repositories[") || !place.ends_with(tail))
    return place;
  auto i = static_cast<size_t>(std::stoul(place.substr(13)));
  auto key = in.repositories[i].url.empty() ? ".baseurl" : ".url";
  return place.substr(0, place.size() - tail.size()) + key;
}

} // namespace

test_spec read_schedule_request(json body, job_terms& terms, std::vector<json_fault>& faults) {
  if (body.is_object()) {
    number_to_text(body, "dist_version");
    refuse_null(body, {"runner_type", "dist_name", "dist_version", "dist_arch", "repositories",
                       "package_name", "verbose", "priority"});
    if (auto i = body.find("test_configuration"); i != body.end() && i->is_object())
      refuse_null(*i, {"tests"});
    read_laxly<schedule_request>(body);
  }
  auto in = schedule_request{};
  auto reader = json_reader{};
  reader.read(body, in, "");
  faults = std::move(reader.faults);
  auto out = test_spec{};
  if (!faults.empty())
    return out;
  std::transform(in.dist_version.begin(), in.dist_version.end(), in.dist_version.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  out.runner_type = in.runner_type;
  out.dist_name = in.dist_name;
  out.dist_version = in.dist_version;
  out.dist_arch = in.dist_arch;
  for (const auto& repo : in.repositories)
    out.repositories.push_back(
      {repo.name, repo.url.empty() ? repo.baseurl : repo.url, repo.gpg_key});
  out.package_name = in.package_name;
  out.package_version = in.package_version;
  if (in.package_epoch)
    out.package_epoch = std::to_string(*in.package_epoch);
  if (!in.module_name.empty() && !in.module_stream.empty() && !in.module_version.empty()) {
    out.module_name = in.module_name;
    out.module_stream = in.module_stream;
    out.module_version = in.module_version;
  }
  if (in.test_configuration) {
    for (const auto& test : in.test_configuration->tests)
      out.tests.push_back(read_test(test, out.tests.size()));
    if (in.test_configuration->test_env)
      out.variables = read_variables(in.test_configuration->test_env->extra_env_vars, faults);
  }
  out.verbose = in.verbose;
  out.bs_task_id = in.bs_task_id;
  out.callback_href = in.callback_href;
  terms.priority = in.priority;
  auto late = std::vector<json_fault>{};
  complete_test(out, late);
  // A path is joined to the address of the build system.
  auto is_path = out.callback_href.starts_with('/') && !out.callback_href.starts_with("//");
  if (!out.callback_href.empty() && !is_path && !is_callback_address(out.callback_href))
    late.push_back({"callback_href", "must be a path or an http or https address with a host"});
  for (auto& fault : late)
    faults.push_back({request_place(fault.place, in), std::move(fault.text)});
  return out;
}

} // namespace troupe
