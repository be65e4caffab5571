#include "actors/journal/embedded_backend.hpp"
#include "actors/journal/group_commit.hpp"
#include "config/log.hpp"
#include "messages/time.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <random>

using namespace troupe;
namespace fs = std::filesystem;

namespace {

constexpr auto events = 400;

database_options small_files() {
  auto out = database_options{};
  out.write_buffer = 64 << 10;
  out.table_file = 64 << 10;
  return out;
}

std::string payload(uint64_t sequence) {
  return std::to_string(sequence) + std::string(sequence * 7919 % 700, 'p');
}

/// Makes a journal whose events lie in table files and in the log.
void make_journal(const std::string& folder) {
  auto db = database::open(folder, small_files());
  REQUIRE(db);
  auto backend = embedded_backend::open(*db);
  REQUIRE(backend);
  auto commit = group_commit{{}, {}};
  for (auto i = uint64_t{1}; i <= events; ++i) {
    auto what = append_events{{}, 0, {{std::to_string(i), i, {}, {{"t", {}, payload(i)}}}}};
    REQUIRE_FALSE(commit.add(what));
    REQUIRE(commit.commit(**backend, now()));
  }
}

/// Flips one bit or cuts the tail of one file; returns what it did.
std::string damage(const std::string& folder, std::mt19937_64& random) {
  auto files = std::vector<fs::path>{};
  for (const auto& entry : fs::directory_iterator{folder})
    if (entry.file_size() > 0)
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  auto file = files[random() % files.size()];
  auto at = random() % fs::file_size(file);
  auto where = file.filename().string() + " at " + std::to_string(at);
  if (random() % 2 == 0) {
    fs::resize_file(file, at);
    return "truncated " + where;
  }
  auto bytes = std::fstream{file, std::ios::binary | std::ios::in | std::ios::out};
  bytes.seekg(static_cast<std::streamoff>(at));
  auto byte = static_cast<char>(bytes.get() ^ (1 << random() % 8));
  bytes.seekp(static_cast<std::streamoff>(at));
  bytes.put(byte);
  return "flipped a bit of " + where;
}

/// Returns why the journal was refused, empty if it is a prefix of what was written.
std::string read_damaged(const std::string& folder) {
  auto db = database::open(folder, small_files());
  if (!db)
    return one_line(db.error());
  auto backend = embedded_backend::open(*db);
  if (!backend)
    return one_line(backend.error());
  auto head = (*backend)->head();
  CHECK(head.first == 1);
  CHECK(head.next <= events + 1);
  for (auto next = uint64_t{1}; next < head.next;) {
    auto batch = (*backend)->read({next, 64, 1 << 20, caf::timespan{0}});
    if (!batch)
      return one_line(batch.error());
    for (const auto& x : batch->events) {
      CHECK(x.sequence == next++);
      CHECK(x.what.payload == payload(x.sequence));
    }
  }
  return {};
}

} // namespace

TEST_CASE("a damaged journal is refused with a reason or read up to the damage", "[journal]") {
  set_log("test", log_level::error);
  auto root = tests::temp_folder{};
  auto whole = root.path() + "/whole";
  make_journal(whole);
  REQUIRE(read_damaged(whole).empty());
  auto random = std::mt19937_64{7};
  auto refused = 0U;
  auto rounds = tests::fault_count(50, 1000);
  for (auto i = 0U; i < rounds; ++i) {
    auto copy = root.path() + "/copy";
    fs::copy(whole, copy);
    auto what = damage(copy, random);
    INFO(what);
    auto why = read_damaged(copy);
    refused += why.empty() ? 0 : 1;
    fs::remove_all(copy);
  }
  INFO(refused << " of " << rounds << " refused");
  CHECK(refused > 0);
  CHECK(refused < rounds);
}

TEST_CASE("a database of a newer format is refused with a way out", "[journal]") {
  auto folder = tests::temp_folder{};
  {
    auto db = database::open(folder.path());
    REQUIRE(db);
    auto batch = write_batch{**db};
    batch.put(family::standard, "format", encode(store_format + 1));
    REQUIRE_FALSE((*db)->write(batch, durability::synced));
  }
  auto db = database::open(folder.path());
  REQUIRE_FALSE(db);
  CHECK(db.error() == ec::unsupported);
  CHECK(one_line(db.error()).find("upgrade") != std::string::npos);
}

TEST_CASE("a folder is opened by one process at a time", "[journal]") {
  auto folder = tests::temp_folder{};
  auto first = database::open(folder.path());
  REQUIRE(first);
  auto second = database::open(folder.path());
  REQUIRE_FALSE(second);
  CHECK(second.error() == ec::unavailable);
}
