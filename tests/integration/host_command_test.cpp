#include "actors/runners/host_command.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace troupe;

namespace {

std::string text_of(const std::string& path) {
  auto in = std::ifstream{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("a program of this host ends at its limit with all its children") {
  auto folder = tests::temp_folder{};
  auto script = folder.path() + "/hangs";
  std::ofstream{script} << "#!/bin/sh\ntrap '' TERM\nsleep 600 &\necho $!\nwait\nsleep 600\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  auto text = std::string{};
  auto result = run_on_host({{script}, {"PATH=/usr/bin:/bin"}, "/", std::chrono::seconds{1}}, {},
                            [&text](std::string_view bytes) { text += bytes; });
  CHECK(result.how == command_result::end::timed_out);
  CHECK(result.exit_code == 137);
  REQUIRE_FALSE(text.empty());
  // A killed child may be waited for by nobody here; it must not run any more.
  auto state = text_of("/proc/" + text.substr(0, text.find('\n')) + "/stat");
  CHECK((state.empty() || state.find(") Z") != std::string::npos));
}

TEST_CASE("a program of this host ends at once when asked to stop") {
  auto stop = std::stop_source{};
  auto result =
    run_on_host({{"/bin/sh", "-c", "echo started; exec sleep 600"}, {}, "/", std::chrono::hours{1}},
                stop.get_token(), [&stop](std::string_view) { stop.request_stop(); });
  CHECK(result.how == command_result::end::canceled);
  CHECK(result.exit_code == 143);
}

TEST_CASE("a program that does not exist was not started") {
  auto result =
    run_on_host({{"/nonexistent/git"}, {}, "/", std::chrono::seconds{1}}, {}, [](auto) {});
  CHECK(result.how == command_result::end::infra);
}
