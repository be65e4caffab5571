#include "actors/runners/package_test.hpp"

#include "actors/runners/integrity_check.hpp"
#include "actors/runners/package_sources.hpp"
#include "actors/runners/skip_list.hpp"
#include "actors/runners/third_party.hpp"
#include "config/log.hpp"
#include "messages/time.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto most_note_bytes = size_t{1000};

/// Whether the run goes on after a stage.
enum class next_step : uint8_t { go_on, tear_down };

/// One run from its start to its verdict.
class package_run {
public:
  package_run(const test_spec& spec, const run_order& order, const environment_start& start,
              run_sink& sink, std::stop_token stop, const package_test_options& options)
    : spec_{spec}, start_{start}, sink_{sink}, options_{options}, session_{spec, options, sink,
                                                                           std::move(stop),
                                                                           order.deadline},
      subject_{spec.package_name, spec.dist_name, spec.dist_version, spec.dist_arch} {}

  run_outcome go() {
    for (const auto& secret : secrets_of(spec_))
      sink_.mask(secret);
    for (const auto& secret : url_secrets(options_.package_proxy))
      sink_.mask(secret);
    if (auto why = check_test(spec_)) {
      auto known = explain(why).code != ec::unsupported;
      return outcome(known ? reason::malformed_request : reason::unsupported_platform,
                     one_line(why));
    }
    load_skip_list();
    if (const auto* rule = skips_.rejects(subject_, now()))
      return outcome(reason::package_rejected, skip_note(*rule));
    auto family = make_package_family(spec_);
    if (!family)
      return outcome(reason::unsupported_platform, one_line(family.error()));
    family_ = std::move(*family);
    if (start_environment())
      run_stages();
    stop_environment();
    return verdict_of_stages();
  }

private:
  using body = std::function<stage_end()>;

  void load_skip_list() {
    if (options_.skip_list.empty())
      return;
    auto list = skip_list::from_file(options_.skip_list);
    // A broken list must not stop all tests: it is as if it were empty, and a human is told.
    if (list)
      skips_ = std::move(*list);
    else
      log(log_level::error, "package_test", "the skip list cannot be used",
          {{"why", one_line(list.error())}});
  }

  static std::string skip_note(const skip_entry& rule) {
    return rule.reason.empty() ? "on the skip list" : "skipped: " + rule.reason;
  }

  bool start_environment() {
    auto end = record("start_environment", options_.provision_limit, [this]() -> stage_end {
      auto machine = start_();
      if (machine) {
        session_.enter(std::move(*machine));
        entered_ = true;
        return {};
      }
      auto why = explain(machine.error()).code;
      if (why == ec::canceled || session_.canceled())
        return {reason::canceled, 0, "canceled", {}};
      return {why == ec::not_found ? reason::image_pull_failed : reason::env_start_failed,
              0,
              one_line(machine.error()),
              {}};
    });
    return decide(end, next_step::tear_down) == next_step::go_on;
  }

  void run_stages() {
    if (mandatory("initial_provision", options_.provision_limit,
                  [this] { return family_->provision(session_); })
        == next_step::tear_down)
      return;
    if (stage("system_info", options_.info_limit * 12, next_step::go_on,
              [this] { return show_system(); })
        == next_step::tear_down)
      return;
    if (stage("install_package", options_.install_limit, next_step::tear_down,
              [this] { return family_->install(session_); })
        == next_step::tear_down)
      return;
    if (options_.integrity_tests
        && stage("tests.package_integrity_tests", options_.integrity_limit,
                 options_.fail_fast ? next_step::tear_down : next_step::go_on,
                 [this] { return check_integrity(session_, *family_); })
             == next_step::tear_down)
      return;
    if (run_third_parties() == next_step::tear_down)
      return;
    stage("uninstall_package", options_.uninstall_limit, next_step::go_on,
          [this] { return uninstall(); });
  }

  stage_end show_system() {
    auto seconds = std::chrono::ceil<std::chrono::seconds>(options_.info_limit).count();
    auto result = session_.run(
      {.argv = {"sh", "-c", std::string{family_->info_script()}, "troupe", std::to_string(seconds)},
       .shown = "show the system"});
    auto end = session_.judge(result, reason::none, "the listing of the system");
    // What it cannot show is no fault of the package.
    if (end.why == reason::stage_timeout || end.why == reason::exec_infra)
      end.why = reason::none;
    return end;
  }

  next_step run_third_parties() {
    auto names = third_party_names(spec_.tests);
    for (auto i = size_t{0}; i < names.size(); ++i) {
      auto limit = options_.third_party_limit * 100;
      if (stage("third_party." + names[i], limit, next_step::go_on,
                [&] {
                  return run_third_party(session_, *family_, spec_.tests[i], names[i],
                                         i > 0 && installed_);
                })
          == next_step::tear_down)
        return next_step::tear_down;
    }
    return next_step::go_on;
  }

  stage_end uninstall() {
    const auto& spared = options_.uninstall_excluded;
    if (std::find(spared.begin(), spared.end(), spec_.package_name) != spared.end())
      return {.note = "package " + spec_.package_name + " is excluded from removal",
              .skipped = true};
    return family_->uninstall(session_);
  }

  /// A stage that the skip list cannot take out.
  next_step mandatory(const std::string& name, std::chrono::milliseconds limit, const body& run) {
    if (auto why = session_.over(); why != reason::none)
      return end_early(why);
    return decide(record(name, limit, run), next_step::tear_down);
  }

  /// A stage that counts for the verdict; `on_failure` says what follows one.
  next_step stage(const std::string& name, std::chrono::milliseconds limit, next_step on_failure,
                  const body& run) {
    if (auto why = session_.over(); why != reason::none)
      return end_early(why);
    const auto* rule = skips_.skips(subject_, name, now());
    auto end = record(
      name, limit,
      [&]() -> stage_end {
        if (rule != nullptr)
          return {reason::none, 0, skip_note(*rule), {}, true};
        return run();
      },
      rule != nullptr);
    if (name != "system_info")
      ++(end.skipped ? skipped_ : counted_);
    if (name == "install_package" && !end.skipped && end)
      installed_ = true;
    return decide(end, on_failure);
  }

  /// Runs the body of a stage and reports the stage.
  stage_end record(const std::string& name, std::chrono::milliseconds limit, const body& run,
                   bool rejected = false) {
    sink_.stage_started(name);
    // Files of third-party tests have their own limits.
    auto asked = std::chrono::duration_cast<std::chrono::milliseconds>(spec_.stage_timeout);
    session_.open_stage(asked.count() > 0 && !name.starts_with("third_party.") ? asked : limit);
    auto end = run();
    if (end.note.size() > most_note_bytes)
      end.note.resize(most_note_bytes);
    auto report = troupe::stage{};
    report.name = name;
    report.finished = true;
    report.success = static_cast<bool>(end);
    report.exit_code = end.exit_code;
    report.why = rejected ? reason::package_rejected : end.why;
    report.note = end.note;
    report.output = end.output;
    sink_.stage_finished(std::move(report));
    return end;
  }

  next_step end_early(reason why) {
    why_ = why;
    note_ = why == reason::canceled ? "canceled" : "the run's time is over";
    return next_step::tear_down;
  }

  /// Remembers the first decisive reason and says whether the run goes on.
  next_step decide(const stage_end& end, next_step on_failure) {
    if (end)
      return next_step::go_on;
    // Whoever ended the run is told so, whatever came before.
    if (end.why == reason::canceled || end.why == reason::task_timeout)
      return end_early(end.why);
    if (why_ == reason::none) {
      why_ = end.why;
      note_ = end.note;
    }
    auto gone = end.why == reason::env_lost || end.why == reason::exec_infra;
    return gone ? next_step::tear_down : on_failure;
  }

  void stop_environment() {
    if (!entered_)
      return;
    record("stop_environment", options_.provision_limit, [this]() -> stage_end {
      auto machine = session_.leave();
      if (auto why = machine->destroy())
        return {reason::exec_infra, 0, "left to the reaper: " + one_line(why), {}};
      return {};
    });
  }

  run_outcome verdict_of_stages() const {
    if (why_ == reason::none && counted_ == 0 && skipped_ > 0)
      return outcome(reason::package_rejected, "everything is skipped");
    return outcome(why_, note_);
  }

  static run_outcome outcome(reason why, std::string note) {
    return {verdict_of(why), why, std::move(note)};
  }

  const test_spec& spec_;
  const environment_start& start_;
  run_sink& sink_;
  const package_test_options& options_;
  package_session session_;
  skip_subject subject_;
  skip_list skips_;
  std::unique_ptr<package_family> family_;
  bool entered_ = false;
  bool installed_ = false;
  size_t counted_ = 0;
  size_t skipped_ = 0;
  reason why_ = reason::none;
  std::string note_;
};

} // namespace

void read_options(section& in, package_test_options& out) {
  in.read("provision_limit", out.provision_limit);
  in.read("info_limit", out.info_limit);
  in.read("install_limit", out.install_limit);
  in.read("integrity_limit", out.integrity_limit);
  in.read("third_party_limit", out.third_party_limit);
  in.read("uninstall_limit", out.uninstall_limit);
  in.read("integrity_tests", out.integrity_tests);
  in.read("fail_fast", out.fail_fast);
  in.read("upgrade", out.upgrade);
  in.read("force_ipv4", out.force_ipv4);
  in.read("package_proxy", out.package_proxy);
  in.read("uninstall_excluded_pkgs", out.uninstall_excluded);
  in.read("skip_list", out.skip_list);
  in.read("git", out.git);
  in.read("git_attempts", out.git_attempts, 1, 100);
  in.read("git_limit", out.git_limit);
  in.read("git_pause", out.git_pause);
  in.read("work_folder", out.work_folder);
  in.read_size("artifact_limit", out.artifact_bytes);
  in.read_size("binary_limit", out.binary_bytes);
}

run_outcome run_package_test(const test_spec& spec, const run_order& order,
                             const environment_start& start, run_sink& sink, std::stop_token stop,
                             const package_test_options& options) {
  return package_run{spec, order, start, sink, std::move(stop), options}.go();
}

} // namespace troupe
