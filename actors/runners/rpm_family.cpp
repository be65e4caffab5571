#include "actors/runners/package_family.hpp"
#include "actors/runners/package_sources.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto most_file_bytes = uint64_t{64} << 10;
constexpr auto rpm_key_folder = std::string_view{"/etc/pki/rpm-gpg/"};

constexpr auto rpm_info = std::string_view{R"sh(failed=
limit=
command -v timeout >/dev/null 2>&1 && limit="timeout $1"
try() {
  printf '\n$ %s\n' "$*"
  $limit "$@" 2>&1 || failed="$failed
$* (exit code $?)"} echo 'System info commands:' try lsblk try df
                        - h try uname - a try ip a try uptime try rpm - qa if command - v dnf
                      > / dev / null 2 > &1;
then try dnf - C repolist;
else try yum - C repolist; fi
try find /etc/yum.repos.d/ -type f -exec cat '{}' +
[ -z "$failed" ] || printf '\nCommands that have failed to run:%s\n' "$failed"
exit 0
)sh"};

/// Mirrors of releases that have ended are gone; their archive stays.
constexpr auto use_vault = std::string_view{R"sh(set -e
for f in /etc/yum.repos.d/CentOS-*.repo; do
  [ -e "$f" ] || continue
  sed -i -e 's/^mirrorlist=/#mirrorlist=/' \
    -e 's|^#* *baseurl=http://mirror.centos.org|baseurl=http://vault.centos.org|' "$f"
done
)sh"};

class rpm_family final : public package_family {
public:
  explicit rpm_family(const test_spec& spec)
    : names_{repository_names(spec.repositories)},
      program_{has_dnf(spec.dist_name, spec.dist_version) ? "dnf" : "yum"}, major_{major_version(
                                                                              spec.dist_version)} {
    keys_ = std::any_of(spec.repositories.begin(), spec.repositories.end(),
                        [](const auto& source) { return !source.gpg_key.empty(); });
  }

  stage_end provision(package_session& s) override {
    if (auto end = learn_release(s); !end)
      return end;
    if (s.spec.dist_name == "centos" && (major_ == "6" || major_ == "7" || major_ == "8"))
      if (auto end = s.must({.argv = {"sh", "-c", std::string{use_vault}, "troupe"},
                             .shown = "use the archive of this ended release"},
                            reason::provision_failed, "the change of mirrors");
          !end)
        return end;
    if (auto files = repository_files(s.spec); !files.empty())
      if (auto end = s.put(files); !end)
        return end;
    if (auto end = refresh(s); !end)
      return end;
    if (s.options.upgrade)
      return s.must({.argv = packager(s, {"upgrade"})}, reason::provision_failed,
                    program_ + " upgrade");
    return {};
  }

  std::string_view info_script() const override {
    return rpm_info;
  }

  stage_end install(package_session& s) override {
    if (!s.spec.module_name.empty() && !s.spec.module_stream.empty()) {
      auto module = s.spec.module_name + ':' + s.spec.module_stream;
      if (!s.spec.module_version.empty())
        module += ':' + s.spec.module_version;
      auto argv = packager(s, {"module", "enable"});
      argv.push_back(module);
      if (auto end =
            s.must({.argv = std::move(argv)}, reason::install_failed, program_ + " module enable");
          !end)
        return end;
    }
    auto argv = packager(s, {});
    if (program_ == "dnf")
      argv.emplace_back("--allowerasing");
    if (!keys_)
      argv.emplace_back("--nogpgcheck");
    argv.emplace_back("install");
    argv.push_back(full_name(s.spec));
    return s.must_fetch({.argv = std::move(argv)}, reason::install_failed, program_ + " install");
  }

  stage_end install_tool(package_session& s, const std::string& name) override {
    auto argv = packager(s, {"install"});
    argv.push_back(name);
    return s.must({.argv = std::move(argv)}, reason::provision_failed,
                  program_ + " install " + name);
  }

  stage_end find(package_session& s, std::vector<installed_package>& out) override {
    auto text = std::string{};
    auto argv = std::vector<std::string>{
      "rpm", "-q", "--qf", "%{VERSION}-%{RELEASE} %{EPOCH}\\n", "--", s.spec.package_name};
    auto result = s.run({.argv = std::move(argv)}, text);
    if (result.how == command_result::end::exited && result.exit_code == 1)
      return {};
    if (auto end = s.judge(result, reason::exec_infra, "rpm -q"); !end)
      return end;
    std::replace(text.begin(), text.end(), '\n', ' ');
    auto words = words_in(text);
    for (auto i = size_t{0}; i + 1 < words.size(); i += 2)
      out.push_back({words[i], words[i + 1] == "(none)" ? "" : words[i + 1]});
    return {};
  }

  bool is_asked_for(const test_spec& spec, const installed_package& found) const override {
    const auto& asked = spec.package_version;
    auto epoch = [](const std::string& text) { return text.empty() ? std::string{"0"} : text; };
    if (!spec.package_epoch.empty() && epoch(spec.package_epoch) != epoch(found.epoch))
      return false;
    // A version without a release stands for each of its releases.
    return asked.empty() || found.version == asked
           || (asked.find('-') == std::string::npos && found.version.starts_with(asked + '-'));
  }

  stage_end list_files(package_session& s, std::vector<std::string>& out) override {
    auto text = std::string{};
    auto result = s.run(
      {.argv = {"rpm", "-ql", "--noghost", "--", s.spec.package_name}, .logged = false}, text);
    out = paths_in(text);
    return s.judge(result, reason::integrity_failed, "rpm -ql");
  }

  stage_end uninstall(package_session& s) override {
    auto found = std::vector<installed_package>{};
    if (auto end = find(s, found); !end)
      return end;
    if (found.empty())
      return {.note = "the package was not installed any more"};
    auto guarded = false;
    if (auto end = find_protection(s, guarded); !end)
      return end;
    if (guarded)
      return {.note = "package " + s.spec.package_name + " is protected", .skipped = true};
    return s.must({.argv = {"rpm", "-e", "--nodeps", "--", s.spec.package_name}},
                  reason::uninstall_failed, "rpm -e");
  }

private:
  std::vector<std::string> packager(package_session& s,
                                    std::initializer_list<const char*> rest) const {
    auto argv = std::vector<std::string>{program_, "-y"};
    if (set_release_)
      argv.push_back("--releasever=" + major_);
    // Images leave manuals out; the package's files are tested, so take all.
    argv.emplace_back("--setopt=tsflags=");
    if (!s.options.package_proxy.empty())
      argv.push_back("--setopt=proxy=" + s.options.package_proxy);
    if (s.options.force_ipv4)
      argv.emplace_back("--setopt=ip_resolve=4");
    argv.insert(argv.end(), rest.begin(), rest.end());
    return argv;
  }

  /// An image without a release package does not know its own version.
  stage_end learn_release(package_session& s) {
    auto result =
      s.run({.argv = {"rpm", "-q", "--whatprovides", "system-release"}, .logged = false});
    auto end = s.judge(result, reason::none, "rpm -q");
    set_release_ = !major_.empty() && result.exit_code != 0;
    if (result.exit_code == 127)
      return {reason::provision_failed, 127, "rpm is missing in the image", {}};
    return end;
  }

  std::vector<environment_file> repository_files(const test_spec& spec) const {
    auto files = std::vector<environment_file>{};
    for (auto i = size_t{0}; i < spec.repositories.size(); ++i) {
      const auto& source = spec.repositories[i];
      auto key = source.gpg_key;
      if (is_armored(key)) {
        auto path = std::string{rpm_key_folder} + "troupe-" + names_[i];
        files.push_back({path, 0644, source.gpg_key});
        key = "file://" + path;
      }
      files.push_back({"/etc/yum.repos.d/troupe-" + names_[i] + ".repo", 0644,
                       repo_file(names_[i], source, key)});
    }
    return files;
  }

  /// Mirrors are the network's fault: a run that cannot read them is tried again.
  stage_end refresh(package_session& s) const {
    auto result = s.run({.argv = packager(s, {"makecache"})});
    auto why = result.exit_code == 127 || result.exit_code == 126 ? reason::provision_failed
                                                                  : reason::repo_unreachable;
    auto end = s.judge(result, why, program_ + " makecache");
    if (end.why == reason::stage_timeout)
      end.why = reason::repo_unreachable;
    return end;
  }

  std::string full_name(const test_spec& spec) const {
    if (spec.package_version.empty())
      return spec.package_name;
    auto epoch = std::string{};
    if (!spec.package_epoch.empty() && (major_ == "8" || major_ == "9" || major_ == "10"))
      epoch = spec.package_epoch + ':';
    return spec.package_name + '-' + epoch + spec.package_version;
  }

  /// Finds out whether the packager itself, or the kernel, needs the package.
  stage_end find_protection(package_session& s, bool& out) const {
    auto names = std::string{};
    auto why =
      s.get("/etc/" + program_ + "/protected.d", most_file_bytes, [&](const archive_entry& entry) {
        names += entry.bytes + '\n';
        return names.size() < (1 << 20);
      });
    if (why && explain(why).code != ec::not_found)
      return {reason::env_lost, 0, "cannot read protected.d: " + one_line(why), {}};
    out = has_line(names, s.spec.package_name) || s.spec.package_name == "kernel-core";
    if (out || program_ != "dnf")
      return {};
    auto closure = std::string{};
    auto argv = packager(s, {"-q", "--qf=%{NAME}\\n", "repoquery", "--requires", "--resolve",
                             "--recursive", "kernel-core"});
    auto result = s.run({.argv = std::move(argv), .logged = false}, closure);
    out = has_line(closure, s.spec.package_name);
    // Without an answer the kernel is taken to need nothing, as where it is unknown.
    if (result.how == command_result::end::exited)
      return {};
    return s.judge(result, reason::uninstall_failed, "dnf repoquery");
  }

  static bool has_line(std::string_view text, std::string_view line) {
    while (!text.empty()) {
      auto end = std::min(text.find('\n'), text.size());
      auto words = words_in(text.substr(0, end));
      if (words.size() == 1 && words[0] == line)
        return true;
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
  }

  std::vector<std::string> names_;
  std::string program_;
  std::string major_;
  bool keys_ = false;
  bool set_release_ = false;
};

} // namespace

std::unique_ptr<package_family> make_rpm_family(const test_spec& spec) {
  return std::make_unique<rpm_family>(spec);
}

} // namespace troupe
