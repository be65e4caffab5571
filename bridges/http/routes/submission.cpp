#include "bridges/http/routes/submission.hpp"

#include "bridges/http/routes/platforms.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace troupe {

namespace {

/// The journal's bound for an id. Source: messages/event.hpp.
constexpr auto longest_request_id = size_t{256};

bool is_plain_url(std::string_view text, std::initializer_list<std::string_view> schemes) {
  auto fits = [text](std::string_view scheme) { return text.starts_with(scheme); };
  return std::any_of(schemes.begin(), schemes.end(), fits)
         && text.find_first_of(" \t[]\"'\\") == text.npos && obeys("line", text);
}

/// Returns what stands for the URL in a whole apt line: the word behind type and options.
std::string_view url_of_apt_line(std::string_view line) {
  auto next = [&line] { line.remove_prefix(std::min(line.find_first_not_of(' '), line.size())); };
  line.remove_prefix(line.find(' '));
  next();
  if (line.starts_with('[')) {
    line.remove_prefix(std::min(line.find(']'), line.size() - 1) + 1);
    next();
  }
  return line.substr(0, line.find(' '));
}

/// What a runner would refuse, so that it is refused before it is accepted.
/// Source: actors/runners/package_sources.cpp, `check_test`.
bool is_source_address(std::string_view url, bool apt) {
  auto whole_line = apt && (url.starts_with("deb ") || url.starts_with("deb-src "));
  return obeys("line", url)
         && is_plain_url(whole_line ? url_of_apt_line(url) : url,
                         {"http://", "https://", "file:///"});
}

bool is_repository_key(std::string_view key) {
  return key.find("-----BEGIN PGP PUBLIC KEY BLOCK-----") != key.npos
         || is_plain_url(key, {"https://"});
}

/// Returns the queue with the shortest wait per slot among those of the runners that may be asked
/// for.
caf::expected<std::string> least_loaded(const call& c, std::string_view host) {
  auto queues = c.ask<queue_list>(c.shared.roles.jobs, queues_atom_v);
  if (!queues)
    return std::move(queues.error());
  const auto& runners = c.shared.options.submission.runners;
  auto best = runners.empty() ? std::string{"docker"} : runners.front();
  auto shortest = std::numeric_limits<double>::infinity();
  for (const auto& runner : runners)
    for (const auto& q : queues->queues)
      if (q.queue == runner + '-' + std::string{host} + "-0" && q.slots > 0) {
        auto wait = static_cast<double>(q.queued + q.running) / static_cast<double>(q.slots);
        if (wait < shortest) {
          shortest = wait;
          best = runner;
        }
      }
  return best;
}

caf::expected<std::string> choose_runner(const call& c, const std::string& asked,
                                         std::string_view host) {
  const auto& may = c.shared.options.submission;
  if (asked.empty() || asked == "any") {
    if (!may.default_runner.empty())
      return may.default_runner;
    return least_loaded(c, host);
  }
  if (std::find(may.runners.begin(), may.runners.end(), asked) == may.runners.end())
    return fault_at(ec::invalid_argument, "runner_type", "is not a runner type of this system");
  return asked;
}

caf::timespan or_default(caf::timespan asked, std::chrono::milliseconds otherwise) {
  return asked.count() > 0 ? asked : caf::timespan{otherwise};
}

} // namespace

void complete_test(test_spec& test, std::vector<json_fault>& faults) {
  const auto apt = uses_apt(test.dist_name);
  // apt takes "name-" for "remove name".
  if (apt && test.package_name.ends_with('-'))
    faults.push_back({"package_name", "must not end in '-'"});
  auto unnamed = 0;
  auto names = std::set<std::string>{};
  for (auto i = size_t{0}; i < test.repositories.size(); ++i) {
    auto& repo = test.repositories[i];
    auto place = "repositories[" + std::to_string(i) + ']';
    if (repo.name.empty())
      repo.name = "repo-" + std::to_string(unnamed++);
    if (repo.url.empty())
      faults.push_back({place + ".url", "is required"});
    else if (!is_source_address(repo.url, apt))
      faults.push_back({place + ".url", apt ? "must be an http, https or file URL, or a whole deb "
                                              "line with one"
                                            : "must be an http, https or file URL"});
    if (!repo.gpg_key.empty() && !is_repository_key(repo.gpg_key))
      faults.push_back({place + ".gpg_key", "must be an https URL or an armored key"});
    if (!names.insert(repo.name).second)
      faults.push_back({place + ".name", "is the name of another repository"});
  }
  for (auto i = size_t{0}; i < test.tests.size(); ++i) {
    auto& one = test.tests[i];
    auto place = "tests[" + std::to_string(i) + ']';
    if (one.script.empty() == one.url.empty())
      faults.push_back({place + ".url", "needs either a git address or a script"});
    else if (one.script.empty() && !is_plain_url(one.url, {"https://", "http://"}))
      faults.push_back({place + ".url", "must be an http or https address"});
    if (!one.test_dir.empty() && !obeys("path", one.test_dir))
      faults.push_back({place + ".test_dir", "must be a relative path"});
  }
  for (auto i = size_t{0}; i < test.variables.size(); ++i)
    if (test.variables[i].value.find('\0') != std::string::npos)
      faults.push_back({"variables[" + std::to_string(i) + "].value", "must not contain NUL"});
}

bool is_callback_address(std::string_view url) {
  for (auto c : url)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '\\')
      return false;
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return false;
  url.remove_prefix(url.find("//") + 2);
  auto authority = url.substr(0, url.find_first_of("/?#"));
  if (authority.find('@') != authority.npos)
    return false;
  // What is in brackets is an IPv6 address; else the last colon is before the port.
  auto colon = authority.find(':', std::min(authority.rfind(']'), authority.size()));
  if (!authority.starts_with('['))
    colon = authority.find(':');
  auto host = authority.substr(0, colon);
  auto port = colon == authority.npos ? std::string_view{} : authority.substr(colon + 1);
  auto number = 0;
  auto [end, err] = std::from_chars(port.data(), port.data() + port.size(), number);
  auto is_port =
    err == std::errc{} && end == port.data() + port.size() && number > 0 && number <= 65'535;
  return !host.empty() && (colon == authority.npos || is_port)
         && (host.front() == '[') == (host.back() == ']');
}

caf::expected<submit_job> plan_test(const call& c, test_spec test, const job_terms& terms) {
  if (!is_known_distribution(test.dist_name))
    return fault_at(ec::invalid_argument, "dist_name", "must be one of " + known_distributions());
  auto host = host_architecture(test.dist_arch);
  if (!host)
    return fault_at(ec::invalid_argument, "dist_arch", "must be one of " + known_architectures());
  auto runner = choose_runner(c, test.runner_type, *host);
  if (!runner)
    return std::move(runner.error());
  test.runner_type = *runner;
  const auto& otherwise = c.shared.options.submission;
  auto job = submit_job{};
  job.kind = "test";
  job.queue = *runner + '-' + std::string{*host} + "-0";
  job.priority = terms.priority;
  job.capabilities = terms.capabilities;
  job.subject = test.package_name;
  job.tags = terms.tags;
  job.tags["dist"] = test.dist_name + '-' + test.dist_version;
  job.tags["arch"] = test.dist_arch;
  if (!test.package_version.empty())
    job.tags["package_version"] = test.package_version;
  if (test.bs_task_id)
    job.tags["bs_task_id"] = std::to_string(*test.bs_task_id);
  job.owner = c.who.subject;
  job.retries = terms.retries.value_or(otherwise.retries);
  job.retry_on_timeout = terms.retry_on_timeout;
  job.queue_deadline = or_default(terms.queue_deadline, otherwise.queue_deadline);
  job.run_deadline = or_default(terms.run_deadline, otherwise.run_deadline);
  job.spec = pack(test);
  return job;
}

caf::expected<std::string> request_id(const call& c) {
  auto key = c.in.headers.find("idempotency-key");
  if (key == c.in.headers.end())
    return std::string{};
  // Subjects may hold colons: "a:b" with "c" must not be "a" with "b:c".
  auto id = std::string{"http:"};
  for (auto x : c.who.subject)
    id += x == ':' ? "%3A" : x == '%' ? "%25" : std::string{x};
  id += ':' + key->second;
  if (key->second.empty() || id.size() > longest_request_id || !obeys("line", id))
    return fault_at(ec::invalid_argument, "header.Idempotency-Key", "must be one short line");
  return id;
}

uint64_t text_digest(std::string_view text) {
  auto out = uint64_t{0xCBF29CE484222325};
  for (auto c : text)
    out = (out ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return out;
}

} // namespace troupe
