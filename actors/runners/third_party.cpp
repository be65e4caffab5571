#include "actors/runners/third_party.hpp"

#include "actors/runners/git_checkout.hpp"
#include "actors/runners/tap.hpp"
#include "messages/text_rule.hpp"

#include <algorithm>
#include <set>

namespace troupe {

namespace {

constexpr auto artifact_folder = "/troupe/artifacts";
constexpr auto most_output = size_t{64} << 10;
constexpr auto skip_code = 77;

/// The files of one test and where they are in the environment.
struct test_files {
  std::string folder;
  std::vector<std::string> names;    ///< In order of execution, in `folder`.
  std::vector<environment_file> all; ///< Absolute paths.
};

bool ends_fatally(reason why) {
  switch (why) {
    case reason::canceled:
    case reason::task_timeout:
    case reason::env_lost:
    case reason::exec_infra:
    case reason::provision_failed: return true;
    default: return false;
  }
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

test_files script_files(const third_party_test& test, const std::string& name) {
  auto out = test_files{"/tests/" + name, {test.name.empty() ? "test" : test.name}, {}};
  out.all.push_back({out.folder + '/' + out.names[0], 0755, test.script});
  return out;
}

/// Preparations come first, the others follow by name. Source: spec/testing.md 2.5.
int rank_of(std::string_view name) {
  return name.starts_with("0_init") ? 0 : name.starts_with("0_install") ? 1 : 2;
}

stage_end git_files(package_session& s, const third_party_test& test, const std::string& name,
                    test_files& out) {
  s.say("$ git fetch " + test.url + ' ' + test.git_ref);
  auto files = checkout_files({test.url, test.git_ref}, s.options, s.stop(),
                              [&s](std::string_view bytes) { s.sink().output(bytes); });
  if (!files) {
    auto canceled = explain(files.error()).code == ec::canceled;
    return {canceled ? reason::canceled : reason::git_clone_failed, 0, one_line(files.error()), {}};
  }
  auto top = "/tests/" + name + '/';
  auto within = test.test_dir.empty() ? std::string{} : test.test_dir + '/';
  out.folder = "/tests/" + name + (test.test_dir.empty() ? "" : '/' + test.test_dir);
  const auto& wanted = test.tests_to_run;
  for (auto& file : *files) {
    auto rest = std::string_view{file.path};
    if (rest.starts_with(within)) {
      rest.remove_prefix(within.size());
      auto chosen = wanted.empty() ? obeys("name", rest)
                                   : std::find(wanted.begin(), wanted.end(), rest) != wanted.end();
      if (rest.find('/') == std::string_view::npos
          && (chosen || (rank_of(rest) < 2 && obeys("name", rest))))
        out.names.emplace_back(rest);
    }
    file.path = top + file.path;
    out.all.push_back(std::move(file));
  }
  std::stable_sort(out.names.begin(), out.names.end(), [](const auto& a, const auto& b) {
    return std::pair{rank_of(a), a} < std::pair{rank_of(b), b};
  });
  return {};
}

/// Runs the files of one test one after the other.
class third_party_run {
public:
  third_party_run(package_session& s, package_family& family, std::string name)
    : s_{s}, family_{family}, name_{std::move(name)} {
    for (const auto& variable : s.spec.variables)
      variables_.push_back(variable.name + '=' + variable.value);
    variables_.push_back(std::string{"TROUPE_ARTIFACTS="} + artifact_folder);
    variables_.push_back("TROUPE_PACKAGE=" + s.spec.package_name);
    variables_.push_back("TROUPE_PACKAGE_VERSION=" + s.spec.package_version);
  }

  stage_end run(const test_files& files, bool reinstall) {
    if (auto end = s_.put(files.all); !end)
      return end;
    auto ends = std::vector<stage_end>{};
    for (const auto& file : files.names) {
      if (reinstall || !ends.empty())
        if (auto end = reinstall_package(); !end)
          return end;
      auto& text = std::find_if(files.all.begin(), files.all.end(), [&](const auto& one) {
                     return one.path == files.folder + '/' + file;
                   })->bytes;
      ends.push_back(run_file(files.folder, file, text));
      if (ends_fatally(ends.back().why))
        return ends.back();
    }
    if (auto end = collect(); !end)
      return end;
    return files.names.size() == 1 ? ends.front() : combined(files.names, ends);
  }

private:
  stage_end reinstall_package() {
    auto found = std::vector<installed_package>{};
    if (auto end = family_.find(s_, found); !end || !found.empty())
      return end;
    return family_.install(s_);
  }

  stage_end run_file(const std::string& folder, const std::string& file, std::string_view text) {
    auto executor = executor_of(file, text);
    if (auto end = find_tool(executor); !end || end.skipped)
      return end;
    // The script is fixed; what the caller wrote are its parameters.
    auto argv = std::vector<std::string>{"sh", "-c",
                                         "mkdir -p \"$TROUPE_ARTIFACTS\" && exec \"$@\"", "troupe"};
    argv.insert(argv.end(), executor.argv.begin(), executor.argv.end());
    argv.push_back(folder + '/' + file);
    auto shown = std::string{};
    for (auto i = size_t{4}; i < argv.size(); ++i)
      shown += (i > 4 ? " " : "") + argv[i];
    auto tap = tap_reader{};
    auto output = std::string{};
    auto what = step{};
    what.argv = std::move(argv);
    what.shown = std::move(shown);
    what.variables = variables_;
    what.work_dir = folder;
    what.limit = s_.spec.stage_timeout > caf::timespan{0}
                   ? std::chrono::ceil<std::chrono::milliseconds>(s_.spec.stage_timeout)
                   : s_.options.third_party_limit;
    what.on_stdout = [&](std::string_view bytes) {
      tap.feed(bytes);
      output.append(bytes.substr(0, most_output - std::min(most_output, output.size())));
    };
    auto result = s_.run(what);
    auto report = tap.finish();
    auto end = s_.judge(result, reason::test_failed, file);
    if (result.how == command_result::end::exited && result.exit_code == skip_code)
      end = {.exit_code = skip_code, .note = "skipped: exit code 77", .skipped = true};
    if (report.found) {
      end.output = std::move(output);
      if ((end || end.why == reason::test_failed) && !report.ok() && !end.skipped) {
        end.why = reason::test_failed;
        end.note = report.summary();
      } else if (end && report.all_skipped()) {
        end.skipped = true;
        end.note = report.summary();
      }
    }
    return end;
  }

  stage_end find_tool(const test_executor& executor) {
    if (executor.tool.empty())
      return {};
    auto result =
      s_.run({.argv = {"sh", "-c", "command -v \"$1\"", "troupe", executor.tool}, .logged = false});
    auto end = s_.judge(result, reason::test_failed, executor.tool);
    if (end.why != reason::test_failed)
      return end;
    if (executor.optional)
      return {.note = "skipped: " + executor.tool + " is not in the image", .skipped = true};
    return family_.install_tool(s_, executor.tool);
  }

  /// Brings in what the test left for people.
  stage_end collect() {
    auto left = s_.options.artifact_bytes;
    auto found = false;
    auto why = s_.get(artifact_folder, left, [&](const archive_entry& entry) {
      auto slash = entry.path.find('/');
      if (entry.what != archive_entry::type::file || slash == std::string::npos)
        return true;
      found = true;
      auto path = name_ + entry.path.substr(slash);
      if (!obeys("path", path) || entry.bytes.size() != entry.size || entry.bytes.size() > left) {
        s_.say("the file " + path
               + " is not kept: its name or the size of all files is over a limit");
        return true;
      }
      left -= entry.bytes.size();
      s_.sink().artifact(path, entry.bytes);
      return true;
    });
    if (why && explain(why).code == ec::unavailable)
      return {
        reason::env_lost, 0, "cannot read the files that the test left: " + one_line(why), {}};
    if (why && explain(why).code != ec::not_found)
      s_.say("not all files are kept: " + one_line(why));
    if (found)
      // The next test starts with an empty folder.
      static_cast<void>(s_.run({.argv = {"rm", "-rf", "--", artifact_folder}, .logged = false}));
    return {};
  }

  /// One stage stands for several files: the first failure decides.
  static stage_end combined(const std::vector<std::string>& names,
                            const std::vector<stage_end>& ends) {
    if (ends.empty())
      return {.note = "nothing to run", .skipped = true};
    auto out = tap_writer{ends.size()};
    auto end = stage_end{.skipped = true};
    for (auto i = size_t{0}; i < ends.size(); ++i) {
      if (ends[i].skipped)
        out.skip(names[i], ends[i].note);
      else if (ends[i])
        out.ok(names[i]);
      else
        out.not_ok(names[i], {ends[i].note});
      end.skipped = end.skipped && ends[i].skipped;
      if (end && !ends[i]) {
        end.why = ends[i].why;
        end.exit_code = ends[i].exit_code;
        end.note = names[i] + ": " + ends[i].note;
      }
    }
    end.output = out.text();
    return end;
  }

  package_session& s_;
  package_family& family_;
  std::string name_;
  std::vector<std::string> variables_;
};

} // namespace

test_executor executor_of(std::string_view file_name, std::string_view text) {
  auto shebang = text.starts_with("#!") ? first_line(text) : std::string_view{};
  auto is_python = file_name.ends_with(".py");
  if (file_name.ends_with(".sh") || file_name.ends_with(".bash"))
    return {{"bash"}, {}, false};
  if (file_name.ends_with(".bats") || shebang.find("bats") != std::string_view::npos)
    return {{"bats", "--tap"}, "bats", false};
  if (file_name.ends_with(".yml") || file_name.ends_with(".yaml"))
    return {{"ansible-playbook", "-i", "localhost,", "-c", "local"}, "ansible-playbook", true};
  if (shebang.find("python3") != std::string_view::npos || (is_python && shebang.empty()))
    return {{"python3"}, "python3", false};
  if (!shebang.empty())
    return {};
  return {{"bash"}, {}, false};
}

std::vector<std::string> third_party_names(const std::vector<third_party_test>& tests) {
  auto out = std::vector<std::string>{};
  auto taken = std::set<std::string>{};
  for (const auto& test : tests) {
    auto name = test.name;
    if (name.empty()) {
      auto url = std::string_view{test.url};
      while (url.ends_with('/'))
        url.remove_suffix(1);
      url = url.substr(url.rfind('/') + 1);
      if (url.ends_with(".git"))
        url.remove_suffix(4);
      name = obeys("name", url) ? std::string{url} : "test-" + std::to_string(out.size());
    }
    auto unique = name;
    for (auto i = 2; !taken.insert(unique).second; ++i)
      unique = name + '-' + std::to_string(i);
    out.push_back(std::move(unique));
  }
  return out;
}

stage_end run_third_party(package_session& s, package_family& family, const third_party_test& test,
                          const std::string& name, bool reinstall) {
  auto files = test_files{};
  if (test.url.empty())
    files = script_files(test, name);
  else if (auto end = git_files(s, test, name, files); !end)
    return end;
  return third_party_run{s, family, name}.run(files, reinstall);
}

} // namespace troupe
