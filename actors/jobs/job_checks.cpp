#include "actors/jobs/job_checks.hpp"

#include "messages/text_rule.hpp"

namespace troupe {

namespace {

using std::chrono::hours;

constexpr auto line_size = size_t{256};
constexpr auto list_size = size_t{256};
constexpr auto longest_queue_deadline = hours{24 * 90};
constexpr auto longest_run_deadline = hours{24 * 7};
constexpr auto most_retries = uint32_t{100};

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

} // namespace

caf::error check(const submit_job& x, const std::string& place, const ledger_options& limits) {
  auto in = checker{place};
  in.word("kind", x.kind)
    .word("queue", x.queue)
    .require(x.priority >= 1 && x.priority <= 10, "priority", "must be within 1..10")
    .names("capabilities", x.capabilities, "name")
    .line("subject", x.subject)
    .line("owner", x.owner)
    .line("request_id", x.request_id)
    .require(x.spec.size() <= limits.spec_size, "spec", "is too large", ec::too_large)
    .require(x.retries <= most_retries, "retries", "must be within 0..100")
    .require(x.queue_deadline > caf::timespan{0} && x.queue_deadline <= longest_queue_deadline,
             "queue_deadline", "must be more than 0 and at most 90 days")
    .require(x.run_deadline > caf::timespan{0} && x.run_deadline <= longest_run_deadline,
             "run_deadline", "must be more than 0 and at most 7 days")
    .require(x.tags.size() <= list_size, "tags", "has too many items");
  for (const auto& [key, value] : x.tags)
    in.word("tags", key).line("tags." + key, value);
  return in.done();
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

} // namespace troupe
