#include "tests/support/job_audit.hpp"

#include <catch2/catch.hpp>

namespace troupe::tests {

json fake_job(const std::map<std::string, std::string>& variables) {
  auto out = json{{"runner_type", "fake"},
                  {"dist_name", "debian"},
                  {"dist_version", "12"},
                  {"dist_arch", "x86_64"},
                  {"package_name", "hello"}};
  for (const auto& [name, value] : variables)
    out["variables"].push_back({{"name", name}, {"value", value}});
  return out;
}

node_process::answer submit_as(const node_process& node, const std::string& key, const json& job) {
  return node.post("/jobs", json_text(job), {{"Idempotency-Key", key}});
}

std::map<std::string, json> all_jobs(const node_process& node) {
  auto out = std::map<std::string, json>{};
  auto cursor = std::string{};
  do {
    auto page = node.get("/jobs?limit=1000" + (cursor.empty() ? "" : "&cursor=" + cursor));
    REQUIRE(page.status == 200);
    auto document = page.document();
    for (const auto& job : document.at("jobs"))
      out[job.at("job_id").get<std::string>()] = job;
    cursor = document.at("next").get<std::string>();
  } while (!cursor.empty());
  return out;
}

void await_all_finished(const node_process& node, std::chrono::seconds limit) {
  auto left = std::string{};
  auto none = [&](const char* state) {
    auto page = node.get(std::string{"/jobs?limit=1&state="} + state);
    left = page.body;
    return page.status == 200 && page.document().at("jobs").empty();
  };
  // Once running it is not queued again before both were asked, or the next look sees it.
  if (!await(limit, [&] { return none("queued") && none("running") && none("queued"); }))
    FAIL("not all jobs finish: " << left << '\n' << node.log());
}

size_t audit_jobs(const node_process& node, const std::map<std::string, std::string>& promised,
                  size_t keys) {
  auto jobs = all_jobs(node);
  for (const auto& [key, job] : promised) {
    INFO(key << " " << job);
    REQUIRE(jobs.count(job) == 1);
  }
  CHECK(jobs.size() <= keys);
  for (const auto& [id, job] : jobs) {
    INFO(job.dump(1));
    CHECK(job.at("state") == "finished");
    CHECK(job.at("result") == "pass");
    auto passed = 0;
    for (const auto& run : job.at("runs"))
      passed += run.at("result") == "pass" ? 1 : 0;
    CHECK(passed == 1);
  }
  return jobs.size();
}

} // namespace troupe::tests
