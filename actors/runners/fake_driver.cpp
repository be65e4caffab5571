#include "actors/runners/run_clock.hpp"
#include "actors/runners/runner_driver.hpp"
#include "messages/test.hpp"
#include "messages/text_rule.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace troupe {

namespace {

/// What a run is to pretend. A job changes it by variables of its test.
struct script {
  verdict result = verdict::pass;
  reason why = reason::none;
  std::chrono::milliseconds run_for{0};
  uint64_t output_bytes = 0;
  std::string output;
  std::vector<std::string> stages;
  uint32_t fail_times = UINT32_MAX; ///< Runs of a job that end so; later ones pass.
};

/// Reads "fail", "error:env-lost", "timeout:stage-timeout", ...
bool read_result(std::string_view text, script& to) {
  auto colon = text.find(':');
  auto result = enum_of<verdict>(text.substr(0, colon));
  if (!result || *result == verdict::none)
    return false;
  auto why = reason::none;
  if (colon != std::string_view::npos) {
    auto named = enum_of<reason>(text.substr(colon + 1));
    if (!named || verdict_of(*named) != *result)
      return false;
    why = *named;
  } else if (*result == verdict::fail) {
    why = reason::test_failed;
  } else if (*result == verdict::error) {
    why = reason::exec_infra;
  } else if (*result == verdict::timeout) {
    why = reason::stage_timeout;
  } else if (*result == verdict::canceled) {
    why = reason::canceled;
  }
  to.result = *result;
  to.why = why;
  return true;
}

template <class Int>
bool read_number(std::string_view text, Int& to) {
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), to);
  return fault == std::errc{} && end == text.data() + text.size();
}

/// Reads "250ms", "2s" or "1m".
bool read_duration(std::string_view text, std::chrono::milliseconds& to) {
  auto unit = text.find_first_not_of("0123456789");
  auto count = uint32_t{0};
  if (unit == std::string_view::npos || !read_number(text.substr(0, unit), count))
    return false;
  auto word = text.substr(unit);
  if (word != "ms" && word != "s" && word != "m")
    return false;
  to = std::chrono::milliseconds{int64_t{count} * (word == "ms" ? 1 : word == "s" ? 1000 : 60'000)};
  return true;
}

bool read_stages(std::string_view text, std::vector<std::string>& to) {
  to.clear();
  while (!text.empty()) {
    auto comma = text.find(',');
    if (!obeys("word", text.substr(0, comma)))
      return false;
    to.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return true;
}

bool apply(const test_variable& from, script& to) {
  if (from.name == "FAKE_RESULT")
    return read_result(from.value, to);
  if (from.name == "FAKE_RUN_FOR")
    return read_duration(from.value, to.run_for);
  if (from.name == "FAKE_OUTPUT_BYTES")
    return read_number(from.value, to.output_bytes);
  if (from.name == "FAKE_OUTPUT")
    to.output = from.value;
  if (from.name == "FAKE_STAGES")
    return read_stages(from.value, to.stages);
  if (from.name == "FAKE_FAIL_TIMES")
    return read_number(from.value, to.fail_times);
  return true;
}

/// Pretends to execute runs: for tests, benchmarks and first steps. With no
/// script it passes at once, without stages and output.
class fake_driver : public runner_driver {
public:
  fake_driver(script rules, std::string broken_file)
    : rules_{std::move(rules)}, broken_file_{std::move(broken_file)} {}

  caf::error check() override {
    if (!broken_file_.empty() && access(broken_file_.c_str(), F_OK) == 0)
      return fault(ec::unavailable, broken_file_ + " exists");
    return {};
  }

  run_outcome run(const run_order& order, run_sink& sink, std::stop_token stop) override {
    auto spec = unpack<test_spec>(order.spec);
    if (order.kind != "test" || !spec)
      return {verdict::error, reason::malformed_request, "the spec is not one of a test"};
    auto rules = rules_;
    for (const auto& variable : spec->variables) {
      if (variable.secret)
        sink.mask(variable.value);
      if (!apply(variable, rules))
        return {verdict::error, reason::malformed_request, variable.name + " is not understood"};
    }
    if (order.run_id >= rules.fail_times) {
      rules.result = verdict::pass;
      rules.why = reason::none;
    }
    return play(rules, run_clock{order, stop}, sink);
  }

private:
  static run_outcome play(const script& rules, run_clock clock, run_sink& sink) {
    auto stages = rules.stages;
    if (stages.empty() && (rules.output_bytes > 0 || !rules.output.empty()))
      stages.push_back("fake");
    auto pause = rules.run_for / std::max<size_t>(stages.size(), 1);
    auto why = reason::none;
    if (stages.empty())
      why = clock.sleep(pause);
    for (const auto& name : stages) {
      sink.stage_started(name);
      print(rules, clock, sink);
      why = clock.sleep(pause);
      auto is_last = &name == &stages.back();
      auto end = stage{};
      end.name = name;
      end.finished = true;
      end.why = why != reason::none ? why : is_last ? rules.why : reason::none;
      end.success = end.why == reason::none;
      end.exit_code = end.success ? 0 : 1;
      sink.stage_finished(std::move(end));
      if (why != reason::none)
        break;
    }
    if (why != reason::none)
      return {verdict_of(why), why, {}};
    return {rules.result, rules.why, {}};
  }

  static void print(const script& rules, const run_clock& clock, run_sink& sink) {
    if (!rules.output.empty())
      sink.output(rules.output);
    constexpr auto line = std::string_view{"The quick brown fox jumps over the lazy dog, again.\n"};
    auto block = std::string{};
    while (block.size() < 64 * 1024)
      block += line;
    for (auto left = rules.output_bytes; left > 0 && clock.over() == reason::none;) {
      auto n = std::min<uint64_t>(left, block.size());
      sink.output({block.data(), n});
      left -= n;
    }
  }

  script rules_;
  std::string broken_file_;
};

} // namespace

/// Keys: `result`, `run_for`, `output_bytes`, `stages`, `fail_times` as the variables
/// FAKE_RESULT, FAKE_RUN_FOR, ... of a job; `broken_file`: while it exists the driver is broken.
caf::expected<runner_driver_ptr> make_fake_runner(section& options, const driver_context&) {
  auto rules = script{};
  auto result = std::string{"pass"};
  auto broken_file = std::string{};
  options.read("result", result);
  options.read("run_for", rules.run_for);
  options.read_size("output_bytes", rules.output_bytes);
  options.read("stages", rules.stages);
  options.read("fail_times", rules.fail_times, 0, UINT32_MAX);
  options.read("broken_file", broken_file);
  if (!read_result(result, rules))
    options.complain("result", "is not a verdict, or not one of its reasons");
  for (const auto& name : rules.stages)
    if (!obeys("word", name))
      options.complain("stages", "\"" + name + "\" is not a word");
  if (auto fault = options.done())
    return fault;
  return std::make_shared<fake_driver>(std::move(rules), std::move(broken_file));
}

} // namespace troupe
