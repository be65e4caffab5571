#include "tests/integration/package_fixture.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using tests::real_run;

namespace {

constexpr auto rpm_image = "localhost/troupe-test-rpm:9";

/// Makes sure of an image that can install rpm packages: Debian with dnf, as no registry is
/// needed for it. It is made once (about 30 s) from the image's own apt source.
void make_rpm_image() {
  auto& shared = tests::private_engine::shared();
  auto engine = engine_client{shared.socket()};
  auto found = engine.call({"GET", std::string{"/images/"} + rpm_image + "/json", {}},
                           within(std::chrono::seconds{30}));
  if (found && found->status == 200)
    return;
  auto order = tests::some_order();
  order.limits.network = "bridge";
  order.limits.memory = 1 << 30;
  auto where = tests::started_container(order);
  for (auto argv : {std::vector<std::string>{"apt-get", "-q", "update"},
                    {"apt-get", "-y", "-q", "--no-install-recommends", "install", "dnf", "rpm",
                     "createrepo-c"}}) {
    auto made =
      tests::run_in(*where, {.argv = argv, .variables = {"DEBIAN_FRONTEND=noninteractive"}});
    if (made.result.exit_code != 0)
      throw std::runtime_error{"cannot make the image for rpm: " + made.out + made.err};
  }
  auto target = "/commit?container=" + where->id() + "&repo=localhost/troupe-test-rpm&tag=9";
  auto made = engine.call({"POST", target, "{}"}, within(std::chrono::seconds{120}));
  if (!made || made->status != 201)
    throw std::runtime_error{"cannot commit the image for rpm: "
                             + (made ? made->body : one_line(made.error()))};
}

constexpr auto spec_file = R"(Name: troupe-rpm
Version: 1.0
Release: 1.el9
Epoch: 2
Summary: a package for tests
License: none
BuildArch: noarch
AutoReqProv: no
%description
A package for tests.
%prep
%build
%install
mkdir -p %{buildroot}/usr/share/troupe-rpm %{buildroot}/usr/share/doc/troupe-rpm
echo text > %{buildroot}/usr/share/troupe-rpm/file
echo text > %{buildroot}/usr/share/doc/troupe-rpm/README
ln -s file %{buildroot}/usr/share/troupe-rpm/link
%files
/usr/share/troupe-rpm
%doc /usr/share/doc/troupe-rpm/README
%ghost /usr/share/troupe-rpm-ghost
)";

real_run rpm_run() {
  make_rpm_image();
  auto run = real_run{"troupe-rpm"};
  run.options.images.images["almalinux-9-x86_64"] = rpm_image;
  run.spec.dist_name = "almalinux";
  run.spec.dist_version = "9";
  run.files = {{"/srv/troupe-rpm.spec", 0644, spec_file}};
  run.prepare = [](environment& where) {
    for (auto argv : {std::vector<std::string>{"rpmbuild", "-bb", "--define", "_rpmdir /srv/repo",
                                               "/srv/troupe-rpm.spec"},
                      {"createrepo_c", "/srv/repo"}}) {
      auto made = tests::run_in(where, argv);
      if (made.result.exit_code != 0)
        throw std::runtime_error{"cannot make the repository: " + made.out + made.err};
    }
  };
  return run;
}

} // namespace

TEST_CASE("an rpm package with epoch and version passes every stage") {
  auto run = rpm_run();
  run.spec.package_version = "1.0-1.el9";
  run.spec.package_epoch = "2";
  auto outcome = run.go();
  INFO(tests::story(run.sink));
  CHECK(outcome.result == verdict::pass);
  CHECK(run.sink.logs["install_package"].find("install troupe-rpm-2:1.0-1.el9")
        != std::string::npos);
  CHECK(run.sink.find("tests.package_integrity_tests").output.find("not ok") == std::string::npos);
  CHECK(run.sink.find("uninstall_package").note.empty());
  CHECK_FALSE(run.is_left());
}

TEST_CASE("a protected rpm package is not removed") {
  auto run = rpm_run();
  run.files.push_back({"/etc/dnf/protected.d/troupe.conf", 0644, "troupe-rpm\n"});
  auto outcome = run.go();
  INFO(tests::story(run.sink));
  CHECK(outcome.result == verdict::pass);
  CHECK(run.sink.find("uninstall_package").note == "package troupe-rpm is protected");
}

TEST_CASE("an unknown rpm package is an install failure with dnf's exit code") {
  auto run = rpm_run();
  run.spec.package_name = "troupe-unknown";
  CHECK(run.go().why == reason::install_failed);
  CHECK(run.sink.find("install_package").exit_code == 1);
}
