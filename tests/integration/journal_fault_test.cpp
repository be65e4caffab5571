#include "actors/journal/embedded_backend.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace troupe;

namespace {

const auto program = std::string{TROUPE_BINARY_DIR "/tests/journal_program"};

/// Returns the largest N of the lines "acked N".
uint64_t acknowledged(const std::string& output) {
  auto at = output.rfind("acked ");
  return at == std::string::npos ? 0 : std::stoull(output.substr(at + 6));
}

/// Returns the sequence of the last event.
uint64_t last_event(const std::string& folder) {
  auto db = database::open(folder);
  REQUIRE(db);
  auto backend = embedded_backend::open(*db);
  REQUIRE(backend);
  return (*backend)->head().next - 1;
}

} // namespace

TEST_CASE("the journal steps down when an fsync fails and never acknowledges again", "[journal]") {
  constexpr auto appends = 250U;
  auto all = tests::fault_count(8, 200);
  auto stepped_down = 0U;
  for (auto i = 1U; i <= all; ++i) {
    auto nth = all == 200 ? i : i * i * 3;
    auto folder = tests::temp_folder{};
    auto inject = "inject=fdatasync:error=EIO:when=" + std::to_string(nth);
    auto run = tests::run_process({"strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e",
                                   "trace=fdatasync", "-e", inject, program, "append",
                                   folder.path(), std::to_string(appends)});
    INFO(nth << ": " << run.output);
    // A failure while the store is opened is a refusal to start.
    CHECK((run.exit_code == 3
           || (run.exit_code == 1 && run.output.find("refused:") != std::string::npos)));
    stepped_down += run.exit_code == 3 ? 1 : 0;
    if (run.exit_code == 3)
      CHECK(last_event(folder.path() + "/store") >= acknowledged(run.output));
  }
  // The first dozen belong to opening the store.
  CHECK(stepped_down * 4 >= all * 3);
}

TEST_CASE("a full disk is refused in time, loses nothing and heals by itself", "[journal]") {
  auto sizes = tests::fault_count(3, 30);
  for (auto i = 0U; i < sizes; ++i) {
    auto folder = tests::temp_folder{};
    auto bytes = (16ULL << 20) + i * (48ULL << 20) / sizes;
    auto run = tests::run_process({program, "full", folder.path(), std::to_string(bytes)});
    INFO(bytes << " bytes: " << run.output);
    CHECK(run.exit_code == 0);
  }
}
