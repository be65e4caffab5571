#include "actors/runners/dist_family.hpp"
#include "actors/runners/skip_list.hpp"
#include "messages/time.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

skip_list parsed(std::string_view text) {
  auto list = skip_list::from_text(text);
  REQUIRE(list);
  return *list;
}

const auto today = *parse_iso8601("2026-11-21T12:00:00Z");

} // namespace

TEST_CASE("a rule matches by glob on package, distribution and architecture") {
  auto list = parsed(R"([{"package": "python3-*", "dist": "almalinux-9", "arch": "x86*",
                          "reason": "needs a network"}])");
  CHECK(list.rejects({"python3-requests", "almalinux", "9.4", "x86_64"}, today));
  CHECK(list.rejects({"python3-requests", "almalinux", "9.4", "x86_64"}, today)->reason
        == "needs a network");
  CHECK_FALSE(list.rejects({"python2-requests", "almalinux", "9.4", "x86_64"}, today));
  CHECK_FALSE(list.rejects({"python3-requests", "almalinux", "8.9", "x86_64"}, today));
  CHECK_FALSE(list.rejects({"python3-requests", "almalinux", "9.4", "aarch64"}, today));
}

TEST_CASE("a rule with stages takes out those alone") {
  auto list = parsed(R"([{"package": "*", "stages": ["third_party.*", "uninstall_package"]}])");
  auto what = skip_subject{"hello", "debian", "12", "x86_64"};
  CHECK_FALSE(list.rejects(what, today));
  CHECK(list.skips(what, "third_party.smoke", today));
  CHECK(list.skips(what, "uninstall_package", today));
  CHECK_FALSE(list.skips(what, "install_package", today));
}

TEST_CASE("a rule is void from its expiry on") {
  auto list = parsed(R"([{"package": "hello", "expires": "2026-11-21T12:00:00Z"}])");
  auto what = skip_subject{"hello", "debian", "12", "x86_64"};
  CHECK(list.rejects(what, today - std::chrono::seconds{1}));
  CHECK_FALSE(list.rejects(what, today));
}

TEST_CASE("the original's list is understood, its names match by their start") {
  auto list = parsed(R"({"almalinux-8": {"curl": ["run_package_integrity_tests", "install_package"],
                                          "gcc": ["some_new_method"]}})");
  auto what = skip_subject{"curl-minimal", "almalinux", "8", "x86_64"};
  CHECK(list.skips(what, "tests.package_integrity_tests", today));
  CHECK(list.skips(what, "install_package", today));
  CHECK_FALSE(list.skips(what, "uninstall_package", today));
  CHECK_FALSE(list.rejects(what, today));
  CHECK_FALSE(list.rejects({"gcc", "almalinux", "8", "x86_64"}, today));
}

TEST_CASE("a broken list says where") {
  CHECK(explain(skip_list::from_text(R"([{"dist": "debian-12"}])").error()).place == "[0].package");
  CHECK_FALSE(skip_list::from_text("{"));
  CHECK_FALSE(skip_list::from_text("3"));
  CHECK(explain(skip_list::from_file("/nonexistent/list.json").error()).code == ec::not_found);
}

TEST_CASE("distributions know their family, tools and names of architectures") {
  CHECK(family_of("raspbian") == dist_family::deb);
  CHECK(family_of("almalinux") == dist_family::rpm);
  CHECK_FALSE(family_of("arch"));
  CHECK(deb_arch("x86_64") == "amd64");
  CHECK(deb_arch("i686") == "i386");
  CHECK(deb_arch("s390x") == "s390x");
  CHECK(major_version("9.4") == "9");
  CHECK(major_version("rawhide").empty());
  CHECK(has_dnf("fedora", "40"));
  CHECK(has_dnf("almalinux", "10.1"));
  CHECK_FALSE(has_dnf("centos", "7"));
}
