#include "actors/runners/package_family.hpp"
#include "actors/runners/package_sources.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto authorities = "/etc/ssl/certs/ca-certificates.crt";
constexpr auto deb_key_folder = "/etc/apt/keyrings/";
constexpr auto most_key_bytes = uint64_t{1} << 20;

constexpr auto deb_info = std::string_view{R"sh(failed=
limit=
command -v timeout >/dev/null 2>&1 && limit="timeout $1"
try() {
  printf '\n$ %s\n' "$*"
  $limit "$@" 2>&1 || failed="$failed
$* (exit code $?)"
}
echo 'System info commands:'
try lsblk
try df -h
try uname -a
try ip a
try uptime
try dpkg -l
try apt-cache policy
try find /etc/apt/ -type f '(' -name '*.list*' -o -name '*.sources*' ')' -exec cat '{}' +
[ -z "$failed" ] || printf '\nCommands that have failed to run:%s\n' "$failed"
exit 0
)sh"};

std::vector<std::string> apt_get(std::initializer_list<const char*> rest) {
  auto argv = std::vector<std::string>{"apt-get", "-y", "-q", "-o", "Dpkg::Use-Pty=0"};
  argv.insert(argv.end(), rest.begin(), rest.end());
  return argv;
}

class deb_family final : public package_family {
public:
  explicit deb_family(const test_spec& spec) : names_{repository_names(spec.repositories)} {}

  stage_end provision(package_session& s) override {
    const auto& sources = s.spec.repositories;
    auto files = std::vector<environment_file>{settings(s.options)};
    if (std::any_of(sources.begin(), sources.end(), needs_https)) {
      if (auto end = s.put(files); !end)
        return end;
      if (auto end = install_authorities(s); !end)
        return end;
      files.clear();
    }
    auto lines = std::string{};
    for (auto i = size_t{0}; i < sources.size(); ++i) {
      auto key = environment_file{};
      if (auto end = find_key(s, i, key); !end)
        return end;
      lines += apt_line(sources[i], deb_arch(s.spec.dist_arch), key.path) + '\n';
      if (!key.path.empty())
        files.push_back(std::move(key));
    }
    if (!lines.empty())
      files.push_back({"/etc/apt/sources.list.d/troupe.list", 0644, lines});
    if (!files.empty())
      if (auto end = s.put(files); !end)
        return end;
    if (auto end = update(s); !end)
      return end;
    if (s.options.upgrade)
      return s.must({.argv = apt_get({"dist-upgrade"})}, reason::provision_failed,
                    "apt-get dist-upgrade");
    return {};
  }

  std::string_view info_script() const override {
    return deb_info;
  }

  stage_end install(package_session& s) override {
    auto name = s.spec.package_name;
    if (!s.spec.package_version.empty())
      name += '=' + s.spec.package_version;
    // Small images leave manuals and translations out; the package's files are tested, so take all.
    auto argv = apt_get({"-o", "Dpkg::Options::=--path-include=/*", "--allow-downgrades",
                         "--allow-unauthenticated", "install", "--"});
    argv.push_back(name);
    return s.must_fetch({.argv = std::move(argv)}, reason::install_failed, "apt-get install");
  }

  stage_end install_tool(package_session& s, const std::string& name) override {
    auto argv = apt_get({"--no-install-recommends", "install", "--"});
    argv.push_back(name);
    return s.must({.argv = std::move(argv)}, reason::provision_failed, "apt-get install " + name);
  }

  stage_end find(package_session& s, std::vector<installed_package>& out) override {
    auto words = std::vector<std::string>{};
    if (auto end = query(s, "${db:Status-Status} ${Version}\\n", words); !end)
      return end;
    for (auto i = size_t{0}; i + 1 < words.size(); i += 2)
      if (words[i] == "installed")
        out.push_back({words[i + 1], {}});
    return {};
  }

  bool is_asked_for(const test_spec& spec, const installed_package& found) const override {
    return spec.package_version.empty() || found.version == spec.package_version;
  }

  stage_end list_files(package_session& s, std::vector<std::string>& out) override {
    auto text = std::string{};
    auto result = s.run({.argv = {"dpkg", "-L", "--", s.spec.package_name}, .logged = false}, text);
    out = paths_in(text);
    return s.judge(result, reason::integrity_failed, "dpkg -L");
  }

  stage_end uninstall(package_session& s) override {
    auto words = std::vector<std::string>{};
    // A field that a package lacks prints nothing, hence the marks.
    if (auto end = query(s, "${db:Status-Status} e=${Essential} p=${Protected}\\n", words); !end)
      return end;
    if (words.empty() || words[0] != "installed")
      return {.note = "the package was not installed any more"};
    for (const auto& word : words)
      if (word == "e=yes" || word == "p=yes")
        return {.note = "package " + s.spec.package_name + " is protected", .skipped = true};
    return s.must({.argv = {"dpkg", "-r", "--force-depends", "--", s.spec.package_name}},
                  reason::uninstall_failed, "dpkg -r");
  }

private:
  static environment_file settings(const package_test_options& options) {
    auto text = std::string{"Acquire::Languages \"none\";\n"
                            "Acquire::Retries \"3\";\n"
                            "Acquire::Check-Valid-Until \"false\";\n"};
    if (options.force_ipv4)
      text += "Acquire::ForceIPv4 \"true\";\n";
    if (!options.package_proxy.empty())
      text += "Acquire::http::Proxy \"" + options.package_proxy + "\";\nAcquire::https::Proxy \""
              + options.package_proxy + "\";\n";
    return {"/etc/apt/apt.conf.d/99troupe", 0644, text};
  }

  /// Mirrors are the network's fault: a run that cannot read them is tried again.
  static stage_end update(package_session& s) {
    auto argv = std::vector<std::string>{
      "apt-get", "-q", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Update::Error-Mode=any", "update"};
    auto result = s.run({.argv = std::move(argv)});
    auto why = result.exit_code == 127 || result.exit_code == 126 ? reason::provision_failed
                                                                  : reason::repo_unreachable;
    auto end = s.judge(result, why, "apt-get update");
    if (end.why == reason::stage_timeout)
      end.why = reason::repo_unreachable;
    return end;
  }

  static stage_end install_authorities(package_session& s) {
    auto found = s.run({.argv = {"test", "-s", authorities}, .logged = false});
    if (found.how == command_result::end::exited && found.exit_code == 0)
      return {};
    if (auto end = update(s); !end)
      return end;
    return s.must(
      {.argv = apt_get({"--no-install-recommends", "install", "--", "ca-certificates"})},
      reason::provision_failed, "apt-get install ca-certificates");
  }

  /// Makes the key file of one repository; it stays empty if there is no key.
  stage_end find_key(package_session& s, size_t i, environment_file& out) const {
    const auto& key = s.spec.repositories[i].gpg_key;
    if (key.empty())
      return {};
    auto path = deb_key_folder + names_[i];
    auto bytes = key;
    if (!is_armored(key)) {
      auto fetched = path + ".fetched";
      auto argv =
        std::vector<std::string>{"/usr/lib/apt/apt-helper", "download-file", key, fetched};
      if (auto end =
            s.must({.argv = std::move(argv)}, reason::repo_unreachable, "download of the key");
          !end)
        return end;
      bytes.clear();
      auto why = s.get(fetched, most_key_bytes, [&](const archive_entry& entry) {
        bytes = entry.bytes;
        return false;
      });
      if (why || bytes.empty())
        return {
          reason::repo_unreachable, 0, "the key of repository " + names_[i] + " is empty", {}};
    }
    // apt tells the two forms apart by the suffix alone.
    out = {path + (is_armored(bytes) ? ".asc" : ".gpg"), 0644, std::move(bytes)};
    return {};
  }

  /// Asks dpkg for fields of the package; an unknown one yields no words.
  static stage_end query(package_session& s, const char* format, std::vector<std::string>& out) {
    auto text = std::string{};
    auto result = s.run({.argv = {"dpkg-query", "-Wf", format, "--", s.spec.package_name}}, text);
    std::replace(text.begin(), text.end(), '\n', ' ');
    out = words_in(text);
    if (result.how == command_result::end::exited && result.exit_code == 1)
      return {};
    return s.judge(result, reason::exec_infra, "dpkg-query");
  }

  std::vector<std::string> names_;
};

} // namespace

std::unique_ptr<package_family> make_deb_family(const test_spec& spec) {
  return std::make_unique<deb_family>(spec);
}

} // namespace troupe
