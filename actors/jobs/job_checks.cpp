#include "actors/jobs/job_checks.hpp"

#include "messages/text_rule.hpp"

#include <algorithm>

namespace troupe {

namespace {

using std::chrono::hours;

constexpr auto line_size = size_t{256};
constexpr auto list_size = size_t{256};
constexpr auto longest_queue_deadline = hours{24 * 90};
constexpr auto longest_run_deadline = hours{24 * 7};
constexpr auto most_retries = uint32_t{100};
constexpr auto most_reports = size_t{1024};
constexpr auto most_report_bytes = size_t{8} << 20;
constexpr auto most_submit_bytes = size_t{8} << 20;
constexpr auto most_events = size_t{64};
constexpr auto most_event_bytes = size_t{1} << 20;
constexpr auto most_data_bytes = size_t{64} << 10;
constexpr auto most_note_bytes = size_t{4} << 10;
constexpr auto longest_retry_base = hours{1};

/// Collects the first fault of a message.
class checker {
public:
  explicit checker(std::string place = {}) : place_{std::move(place)} {}

  checker& require(bool good, const std::string& name, const char* text,
                   ec code = ec::invalid_argument) {
    if (!good && !why_)
      why_ = fault_at(code, place_ + name, text);
    return *this;
  }
  checker& word(const std::string& name, const std::string& text) {
    return require(obeys("word", text), name, "must be a word of letters, digits, '.', '_', '-'");
  }
  checker& line(const std::string& name, const std::string& text) {
    return require(text.size() <= line_size && obeys("line", text), name,
                   "must be one line of at most 256 bytes");
  }
  checker& names(const std::string& name, const std::vector<std::string>& xs, const char* rule) {
    require(xs.size() <= list_size, name, "has too many items");
    for (auto i = size_t{0}; i < xs.size() && !why_; ++i)
      require(obeys(rule, xs[i]), name + "[" + std::to_string(i) + "]",
              "must start with a letter or digit and hold no blank");
    return *this;
  }
  caf::error done() {
    return std::move(why_);
  }

private:
  std::string place_;
  caf::error why_;
};

/// Returns a little more than what a job takes in the journal.
size_t size_of_job(const submit_job& x) {
  auto bytes = 1024 + x.spec.size() + x.kind.size() + x.queue.size() + x.subject.size()
               + x.owner.size() + x.request_id.size();
  for (const auto& name : x.capabilities)
    bytes += 8 + name.size();
  for (const auto& [key, value] : x.tags)
    bytes += 16 + key.size() + value.size();
  return bytes;
}

/// Returns more than what a stage takes in an event.
size_t size_of_stage(const stage& x) {
  return 256 + x.name.size() + x.note.size() + x.output.size()
         + (x.log ? x.log->name.size() : size_t{0});
}

template <class Report, class Measure>
caf::error check_reports(const std::vector<Report>& reports, Measure bytes_of) {
  if (reports.size() > most_reports)
    return fault_at(ec::too_large, "reports", "must be at most 1024");
  for (auto i = size_t{0}; i < reports.size(); ++i)
    if (bytes_of(reports[i]) > most_report_bytes)
      return fault_at(ec::too_large, "reports[" + std::to_string(i) + "]",
                      "its notes and outputs must be at most 8 MiB together");
  return {};
}

} // namespace

caf::error check(const submit_job& x, const std::string& place, const ledger_options& limits) {
  auto in = checker{place};
  in.word("kind", x.kind)
    .word("queue", x.queue)
    .require(x.priority >= 1 && x.priority <= 10, "priority", "must be within 1..10")
    .names("capabilities", x.capabilities, "name")
    .line("subject", x.subject)
    .line("owner", x.owner)
    .require(x.spec.size() <= limits.spec_size, "spec", "is too large", ec::too_large)
    .require(x.retries <= most_retries, "retries", "must be within 0..100")
    .require(x.queue_deadline > caf::timespan{0} && x.queue_deadline <= longest_queue_deadline,
             "queue_deadline", "must be more than 0 and at most 90 days")
    .require(x.run_deadline > caf::timespan{0} && x.run_deadline <= longest_run_deadline,
             "run_deadline", "must be more than 0 and at most 7 days")
    .require(x.retry_base >= caf::timespan{0} && x.retry_base <= longest_retry_base, "retry_base",
             "must be within 0 and 1 hour")
    .require(x.tags.size() <= list_size, "tags", "has too many items");
  for (const auto& [key, value] : x.tags)
    in.word("tags", key).line("tags." + key, value);
  return in.done();
}

caf::error check_size(const std::vector<submit_job>& jobs) {
  auto bytes = size_t{0};
  for (const auto& job : jobs)
    bytes += size_of_job(job);
  if (bytes > most_submit_bytes)
    return fault_at(ec::too_large, "jobs", "must be at most 8 MiB together");
  return {};
}

caf::error check_request_id(const std::string& id) {
  return checker{}.line("request_id", id).done();
}

caf::error check_runner(const std::string& runner, const std::string& boot) {
  return checker{}
    .require(obeys("name", runner), "runner", "must be a name without blanks")
    .word("boot", boot)
    .done();
}

caf::error check(const claim_runs& x) {
  if (auto why = check_runner(x.runner, x.boot))
    return why;
  return checker{}
    .word("nonce", x.nonce)
    .names("queues", x.queues, "word")
    .require(std::find(x.queues.begin(), x.queues.end(), outside_queue) == x.queues.end(), "queues",
             "hold one that is for processors outside of Troupe")
    .names("capabilities", x.capabilities, "name")
    .require(x.max_runs >= 1 && x.max_runs <= 1024, "max_runs", "must be within 1..1024")
    .require(x.wait >= caf::timespan{0}, "wait", "must not be negative")
    .done();
}

caf::error check(const runner_status& x) {
  if (auto why = check_runner(x.runner, x.boot))
    return why;
  return checker{}
    .names("queues", x.queues, "word")
    .names("capabilities", x.capabilities, "name")
    .line("driver", x.driver)
    .done();
}

caf::error check(const finish_runs& x) {
  if (auto why = check_runner(x.runner, x.boot))
    return why;
  return check_reports(x.reports, [](const run_report& report) {
    auto bytes = report.note.size() + report.data.size();
    for (const auto& step : report.stages)
      bytes += size_of_stage(step);
    return bytes;
  });
}

caf::error check(const report_stages& x) {
  if (auto why = check_runner(x.runner, x.boot))
    return why;
  return check_reports(x.reports,
                       [](const stage_report& report) { return size_of_stage(report.step); });
}

caf::error check(const outside_report& x) {
  return checker{}
    .require(obeys("name", x.processor), "processor", "must be a name without blanks")
    .require(x.spend >= caf::timespan{0}, "spend", "must not be negative")
    .require(x.note.size() <= most_note_bytes, "note", "must be at most 4 KiB", ec::too_large)
    .require(x.data.size() <= most_data_bytes, "data", "must be at most 64 KiB", ec::too_large)
    .done();
}

caf::error check_events(const std::vector<event>& events) {
  auto in = checker{};
  in.require(events.size() <= most_events, "events", "must be at most 64", ec::too_large);
  auto bytes = size_t{0};
  for (const auto& x : events) {
    bytes += x.topic.size() + x.payload.size();
    in.require(obeys("word", x.topic) && !x.topic.starts_with("job."), "events",
               "have topics of their own");
  }
  return in
    .require(bytes <= most_event_bytes, "events", "must be at most 1 MiB together", ec::too_large)
    .done();
}

} // namespace troupe
