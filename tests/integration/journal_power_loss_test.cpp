#include "actors/journal/embedded_backend.hpp"
#include "actors/journal/group_commit.hpp"
#include "config/log.hpp"
#include "messages/time.hpp"
#include "tests/support/fault_count.hpp"
#include "tests/support/power_fail_file_system.hpp"
#include "tests/support/temp_folder.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <filesystem>

using namespace troupe;

namespace {

/// A journal whose machine loses power again and again.
struct doomed_journal {
  explicit doomed_journal(bool honest) : honest_{honest} {
    std::filesystem::create_directories(folder(0));
  }

  /// Opens what the last cut left, compares it with what was acknowledged, then
  /// appends until the next cut.
  void live_once() {
    auto fs = std::make_shared<tests::power_fail_file_system>(folder(round_), random_(), honest_);
    auto options = database_options{};
    options.write_buffer = 64 << 10;
    options.table_file = 64 << 10;
    options.log_size = 256 << 10;
    options.file_system = fs;
    auto cut = std::atomic<bool>{false};
    auto acknowledged = std::atomic<uint64_t>{acknowledged_};
    auto kept = uint64_t{0};
    // A cut may also come in the middle of the recovery from the one before.
    fs->cut_power_at(random_() % 400, folder(round_ + 1), [&] {
      kept = acknowledged;
      cut = true;
    });
    auto db = database::open(folder(round_), options);
    auto backend = db ? embedded_backend::open(*db) : db.error();
    if (!backend) {
      lost += acknowledged_;
      acknowledged = acknowledged_ = 0;
      expected_.clear();
    } else {
      compare(**backend);
      acknowledged = acknowledged_;
      append_until((*backend), cut, acknowledged);
    }
    fs->cut_power();
    acknowledged_ = kept;
    if (backend)
      backend->reset();
    if (db)
      db->reset();
    std::filesystem::remove_all(folder(round_++));
  }

  uint64_t lost = 0;
  uint64_t appended = 0;

private:
  std::string folder(uint64_t round) const {
    return root_.path() + "/" + std::to_string(round);
  }

  void compare(const embedded_backend& backend) {
    auto head = backend.head();
    auto next = head.first;
    while (next < head.next) {
      auto batch = backend.read({next, 4096, 4 << 20, caf::timespan{0}});
      if (!batch) {
        break;
      }
      for (const auto& x : batch->events) {
        // What was under way at the cut may be there or not; if it is, it is whole.
        if (x.sequence > acknowledged_)
          expected_[x.sequence] = x.what.payload;
        else if (expected_[x.sequence] != x.what.payload)
          ++lost;
      }
      next = batch->next;
    }
    if (next <= acknowledged_)
      lost += acknowledged_ + 1 - next;
    acknowledged_ = next - 1;
    auto cursors = backend.cursors();
    REQUIRE(cursors);
    for (const auto& [_, sequence] : *cursors)
      CHECK((!honest_ || sequence < head.next));
  }

  void append_until(const std::shared_ptr<embedded_backend>& backend, const std::atomic<bool>& cut,
                    std::atomic<uint64_t>& acknowledged) {
    auto commit = group_commit{{}, {}};
    for (auto i = 0; !cut; ++i) {
      auto what = append_events{};
      for (auto groups = random_() % 8 + 1; groups > 0; --groups) {
        auto payload = std::to_string(random_()) + std::string(random_() % 600, 'p');
        what.groups.push_back({std::to_string(random_()), 1, {}, {{"t", {}, payload}}});
        expected_[acknowledged + what.groups.size()] = payload;
      }
      auto n = what.groups.size();
      REQUIRE_FALSE(commit.add(what));
      REQUIRE(commit.commit(*backend, now()));
      acknowledged += n;
      appended += n;
      // A cursor rides on the next fsync; it may be lost, but never what was synced before.
      if (i % 3 == 2)
        REQUIRE_FALSE(backend->keep_cursor({"consumer", acknowledged}));
      if (i % 16 == 15)
        REQUIRE_FALSE(backend->trim(acknowledged - std::min<uint64_t>(acknowledged, 300)));
    }
  }

  bool honest_;
  tests::temp_folder root_;
  std::mt19937_64 random_{20'240'613};
  uint64_t round_ = 0;
  uint64_t acknowledged_ = 0;
  std::map<uint64_t, std::string> expected_;
};

} // namespace

TEST_CASE("no power cut loses an acknowledged append", "[journal]") {
  set_log("test", log_level::error);
  auto journal = doomed_journal{true};
  auto cuts = tests::fault_count(60, 500);
  for (auto i = 0U; i < cuts; ++i)
    journal.live_once();
  INFO(cuts << " cuts, " << journal.appended << " appends");
  CHECK(journal.lost == 0);
  CHECK(journal.appended > cuts);
}

TEST_CASE("the power cuts lose appends if the log is not synced", "[journal]") {
  set_log("test", log_level::error);
  auto journal = doomed_journal{false};
  for (auto i = 0; i < 20; ++i)
    journal.live_once();
  CHECK(journal.lost > 0);
}
