#include "actors/runners/process_command.hpp"
#include "messages/text_rule.hpp"

#include <charconv>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <sstream>

namespace troupe {

namespace {

using std::chrono::milliseconds;

constexpr auto work_tick = milliseconds{100};

/// Does the tasks of objects: pretends to work for a while, or has a program do it.
class process_driver : public runner_driver {
public:
  process_driver(milliseconds least, milliseconds most, std::optional<process_command> command)
    : least_{least}, most_{most}, command_{std::move(command)} {}

  caf::error check() override {
    return command_ ? command_->check() : caf::error{};
  }

  run_outcome run(const run_order& order, run_sink&, std::stop_token stop) override {
    auto spec = unpack<process_spec>(order.spec);
    if (order.kind != process_kind || !spec)
      return {verdict::error, reason::malformed_request, "the spec is not one of a task"};
    auto clock = run_clock{order, stop};
    auto began = run_clock::clock::now();
    auto out = command_ ? command_->run(order, *spec, clock, stop) : pretend(clock);
    out.spend = run_clock::clock::now() - began;
    return out;
  }

  void sweep(const std::vector<run_key>&) override {
    if (command_)
      command_->sweep();
  }

private:
  run_outcome pretend(const run_clock& clock) const {
    thread_local auto chance = std::minstd_rand{std::random_device{}()};
    auto ticks = std::uniform_int_distribution<int64_t>{least_ / work_tick, most_ / work_tick};
    auto why = clock.sleep(work_tick * ticks(chance));
    if (why != reason::none)
      return {verdict_of(why), why, {}};
    return {};
  }

  milliseconds least_;
  milliseconds most_;
  std::optional<process_command> command_;
};

/// Overwrites `out` by a number of seconds in the environment, as the services of EBS read it.
void read_seconds(const char* name, milliseconds& out) {
  const auto* text = std::getenv(name);
  auto word = std::string_view{text == nullptr ? "" : text};
  auto seconds = uint32_t{0};
  auto [end, err] = std::from_chars(word.data(), word.data() + word.size(), seconds);
  if (err == std::errc{} && end == word.data() + word.size() && seconds <= 86'400)
    out = std::chrono::seconds{seconds};
}

/// Returns the words of "exec:/path/of/program argument ...", nothing if it is none.
std::vector<std::string> words_of(const std::string& work) {
  constexpr auto prefix = std::string_view{"exec:"};
  if (!work.starts_with(prefix))
    return {};
  auto in = std::istringstream{work.substr(prefix.size())};
  auto out = std::vector<std::string>{};
  for (auto word = std::string{}; in >> word;)
    out.push_back(word);
  return out;
}

} // namespace

/// Keys: `work` ("simulated", or "exec:" and a program with its arguments), `variables` (its
/// environment), `process_min` and `process_max` (how long simulated work takes).
caf::expected<runner_driver_ptr> make_process_runner(section& options,
                                                     const driver_context& context) {
  auto work = std::string{"simulated"};
  auto least = milliseconds{3000};
  auto most = milliseconds{5000};
  read_seconds("PROCESS_MIN", least);
  read_seconds("PROCESS_MAX", most);
  auto variables = std::map<std::string, std::string>{};
  options.read("work", work);
  options.read("process_min", least);
  options.read("process_max", most);
  options.read("variables", variables);
  if (least > most)
    options.complain("process_min", "is more than process_max");
  auto command = std::optional<process_command>{};
  if (work != "simulated") {
    auto argv = words_of(work);
    if (argv.empty() || argv[0][0] != '/')
      options.complain("work", "is neither simulated nor exec: and the absolute path of a program");
    auto list = std::vector<std::string>{};
    if (!variables.contains("PATH"))
      list.push_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (const auto& [name, value] : variables) {
      if (!obeys("variable", name))
        options.complain("variables", "\"" + name + "\" is no name of a variable");
      list.push_back(name + '=' + value);
    }
    auto marks = context.data_folder.empty() ? "" : context.data_folder + "/processes";
    command.emplace(std::move(argv), std::move(list), std::move(marks));
  }
  if (auto fault = options.done())
    return fault;
  return std::make_shared<process_driver>(least, most, std::move(command));
}

} // namespace troupe
