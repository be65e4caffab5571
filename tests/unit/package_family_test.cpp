#include "tests/support/scripted_run.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using tests::scripted_run;

namespace {

constexpr auto armored_key =
  "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n-----END PGP PUBLIC KEY BLOCK-----\n";

scripted_run on_almalinux() {
  auto run = scripted_run{};
  run.spec.dist_name = "almalinux";
  run.spec.dist_version = "9.4";
  return run;
}

/// Counts the commands that contain `text`.
size_t times(const scripted_run& run, std::string_view text) {
  auto lines = run.machine->lines();
  return static_cast<size_t>(std::count_if(lines.begin(), lines.end(), [text](const auto& line) {
    return line.find(text) != std::string::npos;
  }));
}

} // namespace

TEST_CASE("apt is told to retry and to verify by the repository's key") {
  auto run = scripted_run{};
  run.options.force_ipv4 = true;
  run.spec.repositories = {{"", "http://10.0.0.1/x", ""}, {"signed", "http://10.0.0.1/y", armored_key}};
  CHECK(run.go().result == verdict::pass);
  auto& files = run.machine->files;
  CHECK(files["/etc/apt/apt.conf.d/99troupe"].bytes.find("ForceIPv4") != std::string::npos);
  CHECK(files["/etc/apt/sources.list.d/troupe.list"].bytes
        == "deb [arch=amd64 trusted=yes] http://10.0.0.1/x ./\n"
           "deb [arch=amd64 signed-by=/etc/apt/keyrings/signed.asc] http://10.0.0.1/y ./\n");
  CHECK(files["/etc/apt/keyrings/signed.asc"].bytes == armored_key);
  CHECK(times(run, " update") == 1);
  CHECK_FALSE(run.machine->ran("dist-upgrade"));
}

TEST_CASE("a package that cannot be fetched is the network's fault and retried") {
  auto deb = scripted_run{};
  deb.on(
    {"install -- hello", 100, "", "E: Failed to fetch http://h/hello.deb  Connection failed\n"});
  CHECK(deb.go().why == reason::repo_unreachable);
  auto rpm = on_almalinux();
  rpm.on({"install hello", 1, "", "Error: Error downloading packages:\n"});
  CHECK(rpm.go().why == reason::repo_unreachable);
}

TEST_CASE("every command of apt asks nothing") {
  auto run = scripted_run{};
  run.spec.package_version = "2.10-3";
  run.go();
  auto install = run.machine->find("install -- hello=2.10-3");
  REQUIRE_FALSE(install.argv.empty());
  auto has = [](const std::vector<std::string>& list, const char* word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  for (auto* word : {"-y", "Dpkg::Use-Pty=0", "--allow-downgrades", "--allow-unauthenticated"})
    CHECK(has(install.argv, word));
  CHECK(has(install.variables, "DEBIAN_FRONTEND=noninteractive"));
}

TEST_CASE("a key behind a URL is fetched after the authorities are there") {
  auto run = scripted_run{};
  run.spec.repositories = {{"r", "http://h/x", "https://h/key"}};
  run.on({"test -s", 1});
  run.machine->add_file("/etc/apt/keyrings/r.fetched", "binary key");
  CHECK(run.go().result == verdict::pass);
  CHECK(run.machine->ran("install -- ca-certificates"));
  CHECK(run.machine->ran(
    "/usr/lib/apt/apt-helper download-file https://h/key /etc/apt/keyrings/r.fetched"));
  CHECK(run.machine->files["/etc/apt/keyrings/r.gpg"].bytes == "binary key");
  CHECK(times(run, " update") == 2);
}

TEST_CASE("the image is upgraded only if asked") {
  auto run = scripted_run{};
  run.options.upgrade = true;
  run.on({"dist-upgrade", 100});
  CHECK(run.go().why == reason::provision_failed);
}

TEST_CASE("an excluded or essential package is not removed") {
  auto excluded = scripted_run{};
  excluded.options.uninstall_excluded = {"hello"};
  CHECK(excluded.go().result == verdict::pass);
  CHECK_FALSE(excluded.machine->ran("dpkg -r"));

  auto essential = scripted_run{};
  essential.on({"Essential", 0, "installed e=yes p=\n"});
  CHECK(essential.go().result == verdict::pass);
  CHECK_FALSE(essential.machine->ran("dpkg -r"));
  CHECK(essential.sink.find("uninstall_package").note == "package hello is protected");
}

TEST_CASE("a package that a test removed needs no removal") {
  auto run = scripted_run{};
  run.on({"Essential", 1, "", "dpkg-query: no packages found\n"});
  CHECK(run.go().result == verdict::pass);
  CHECK_FALSE(run.machine->ran("dpkg -r"));
}

TEST_CASE("an rpm distribution is provisioned with files for each repository") {
  auto run = on_almalinux();
  run.spec.repositories = {{"", "http://10.0.0.1/x", ""}, {"signed", "http://10.0.0.1/y", armored_key}};
  CHECK(run.go().result == verdict::pass);
  auto& files = run.machine->files;
  CHECK(files["/etc/yum.repos.d/troupe-repo-0.repo"].bytes.find("gpgcheck=0") != std::string::npos);
  CHECK(files["/etc/yum.repos.d/troupe-signed.repo"].bytes.find(
          "gpgkey=file:///etc/pki/rpm-gpg/troupe-signed")
        != std::string::npos);
  CHECK(files["/etc/pki/rpm-gpg/troupe-signed"].bytes == armored_key);
  CHECK_FALSE(run.machine->ran("--nogpgcheck"));
  CHECK_FALSE(run.machine->ran("--releasever"));
}

TEST_CASE("an image without a release package is told its release") {
  auto run = on_almalinux();
  run.on({"system-release", 1, "no package provides system-release\n"});
  CHECK(run.go().result == verdict::pass);
  CHECK(run.machine->ran("dnf -y --releasever=9 --setopt=tsflags= makecache"));
  CHECK(run.machine->ran(
    "dnf -y --releasever=9 --setopt=tsflags= --allowerasing --nogpgcheck install hello"));
}

TEST_CASE("a module is enabled before its package is installed, by name, epoch and version") {
  auto run = on_almalinux();
  run.spec.module_name = "nodejs";
  run.spec.module_stream = "18";
  run.spec.package_version = "2.10-3.el9";
  run.spec.package_epoch = "1";
  run.on({"rpm -q --qf", 0, "2.10-3.el9 1\n"});
  CHECK(run.go().result == verdict::pass);
  CHECK(run.machine->ran("module enable nodejs:18"));
  CHECK(run.machine->ran("install hello-1:2.10-3.el9"));
}

TEST_CASE("an old release knows no epoch and no dnf") {
  auto run = on_almalinux();
  run.spec.dist_name = "centos";
  run.spec.dist_version = "7";
  run.spec.package_version = "2.10-3.el9";
  run.spec.package_epoch = "0";
  CHECK(run.go().result == verdict::pass);
  CHECK(run.machine->ran("yum -y --setopt=tsflags= --nogpgcheck install hello-2.10-3.el9"));
  CHECK_FALSE(run.machine->ran("dnf -y"));
}

TEST_CASE("an epoch or version that differs is an integrity failure") {
  auto epoch = on_almalinux();
  epoch.spec.package_version = "2.10-3.el9";
  epoch.spec.package_epoch = "2";
  CHECK(epoch.go().why == reason::integrity_failed);

  auto version = on_almalinux();
  version.spec.package_version = "2.1";
  CHECK(version.go().why == reason::integrity_failed);

  auto short_version = on_almalinux();
  short_version.spec.package_version = "2.10";
  CHECK(short_version.go().result == verdict::pass);
}

TEST_CASE("one of several installed versions is enough") {
  auto run = on_almalinux();
  run.spec.package_version = "2.10-3.el9";
  run.on({"rpm -q --qf", 0, "2.09-1.el9 (none)\n2.10-3.el9 (none)\n"});
  CHECK(run.go().result == verdict::pass);
}

TEST_CASE("a package that dnf or the kernel needs is not removed") {
  auto guarded = on_almalinux();
  guarded.machine->add_file("/etc/dnf/protected.d", "dnf\nhello\n");
  CHECK(guarded.go().result == verdict::pass);
  CHECK_FALSE(guarded.machine->ran("rpm -e"));
  CHECK(guarded.sink.find("uninstall_package").note == "package hello is protected");

  auto needed = on_almalinux();
  needed.on({"repoquery", 0, "bash\nhello\n"});
  CHECK(needed.go().result == verdict::pass);
  CHECK_FALSE(needed.machine->ran("rpm -e"));

  auto free_to_go = on_almalinux();
  free_to_go.on({"repoquery", 0, "bash\nhello-devel\n"});
  CHECK(free_to_go.go().result == verdict::pass);
  CHECK(free_to_go.machine->ran("rpm -e --nodeps -- hello"));
}

TEST_CASE("a failed removal is a failure of its own") {
  auto run = on_almalinux();
  run.on({"rpm -e", 1, "", "error: %preun failed\n"});
  CHECK(run.go().why == reason::uninstall_failed);
}

TEST_CASE("metadata of rpm repositories that cannot be read is retried") {
  auto run = on_almalinux();
  run.on({"makecache", 1});
  CHECK(run.go().why == reason::repo_unreachable);
}
