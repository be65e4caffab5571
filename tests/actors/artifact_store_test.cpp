#include "actors/artifacts/artifact_store.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>

using namespace troupe;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct system_config : caf::actor_system_config {
  system_config() {
    add_message_types<caf::id_block::troupe_atoms>();
    add_message_types<caf::id_block::troupe>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{2});
  }
};

/// A store on a folder of its own, with small limits: a log keeps 8 KiB + 16 KiB.
struct one_store {
  system_config config;
  tests::temp_folder folder;
  caf::actor_system sys{config};
  artifact_store_options options;
  artifact_store_actor store;
  job_id job = new_job_id();

  one_store() {
    options.folder = folder.path() + "/artifacts";
    options.limits = {8 << 10, 16 << 10, 64 << 10};
    options.open_files = 2;
    start();
  }
  ~one_store() {
    stop();
  }

  void start() {
    store = sys.spawn<caf::detached>(artifact_store, options);
  }
  void stop() {
    if (!store)
      return;
    auto self = caf::scoped_actor{sys};
    self->send_exit(store, caf::exit_reason::user_shutdown);
    self->wait_for(std::exchange(store, {}));
  }

  artifact_key key(std::string name) const {
    return {job, 0, std::move(name)};
  }

  template <class Reply, class Request>
  caf::expected<Reply> ask(Request what) {
    auto out = caf::expected<Reply>{caf::make_error(ec::timeout)};
    auto self = caf::scoped_actor{sys};
    self->request(store, 20s, std::move(what))
      .receive([&](Reply& x) { out = std::move(x); },
               [&](caf::error& why) { out = std::move(why); });
    return out;
  }

  caf::expected<uint64_t> write(const std::string& name, uint64_t offset, std::string bytes,
                                bool is_log = true) {
    return ask<uint64_t>(write_artifact{key(name), offset, std::move(bytes), is_log});
  }
  caf::expected<artifact_ref> close(const std::string& name) {
    return ask<artifact_ref>(close_artifact{key(name)});
  }
  caf::expected<artifact_chunk> read(const std::string& name, uint64_t from, uint32_t max = 1 << 20,
                                     caf::timespan wait = 0s) {
    return ask<artifact_chunk>(read_artifact{key(name), from, max, wait});
  }
  /// Reads to the end, as a download does.
  std::string read_all(const std::string& name) {
    auto out = std::string{};
    for (auto at = uint64_t{0};;) {
      auto chunk = read(name, at, 5000);
      REQUIRE(chunk);
      out += chunk->bytes;
      at = chunk->next;
      if (chunk->complete)
        return out;
      REQUIRE_FALSE(chunk->bytes.empty());
    }
  }
  std::string path_of(const std::string& file) const {
    return options.folder + '/' + to_string(job) + "/0/" + file;
  }
  ec code(const caf::error& why) const {
    return explain(why).code;
  }
};

/// Lines that differ, so that a shifted byte shows.
std::string numbered(size_t bytes) {
  auto out = std::string{};
  for (auto n = 0; out.size() < bytes; ++n)
    out += "line " + std::to_string(n) + '\n';
  out.resize(bytes);
  return out;
}

/// The next offset, 0 if the write was refused.
uint64_t end_of(const caf::expected<uint64_t>& written) {
  return written ? *written : 0;
}

constexpr auto hello_sha = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

} // namespace

TEST_CASE_METHOD(one_store, "what was written can be read while open and after closing",
                 "[actor][artifacts]") {
  CHECK(end_of(write("a.log", 0, "hel")) == 3);
  CHECK(end_of(write("a.log", 3, "lo")) == 5);
  auto open = read("a.log", 1);
  REQUIRE(open);
  CHECK(open->bytes == "ello");
  CHECK_FALSE(open->complete);
  auto ref = close("a.log");
  REQUIRE(ref);
  CHECK(ref->length == 5);
  CHECK(ref->sha256 == hello_sha);
  CHECK_FALSE(ref->truncated);
  auto closed = read("a.log", 1);
  REQUIRE(closed);
  CHECK(closed->bytes == "ello");
  CHECK(closed->complete);
}

TEST_CASE_METHOD(one_store, "a repeated write changes nothing and a gap is a conflict",
                 "[actor][artifacts]") {
  CHECK(end_of(write("a.log", 0, "hello")) == 5);
  CHECK(end_of(write("a.log", 0, "hello")) == 5);
  CHECK(end_of(write("a.log", 3, "lo!")) == 6);
  CHECK(code(write("a.log", 7, "x").error()) == ec::conflict);
  CHECK(code(write("b.log", 1, "x").error()) == ec::conflict);
  auto chunk = read("a.log", 0);
  REQUIRE(chunk);
  CHECK(chunk->bytes == "hello!");
}

TEST_CASE_METHOD(one_store, "closing twice gives the same answer, also after a restart",
                 "[actor][artifacts]") {
  REQUIRE(write("a.log", 0, "hello"));
  auto first = close("a.log");
  stop();
  start();
  auto second = close("a.log");
  REQUIRE(first);
  REQUIRE(second);
  CHECK(encode(*first) == encode(*second));
  CHECK(end_of(write("a.log", 0, "hello")) == 5);
  CHECK(code(write("a.log", 5, "more").error()) == ec::conflict);
  CHECK(code(close("never.log").error()) == ec::not_found);
}

TEST_CASE_METHOD(one_store, "a long log keeps head and tail with a line between them",
                 "[actor][artifacts]") {
  auto all = numbered(300 << 10);
  for (auto at = size_t{0}; at < all.size(); at += 5000)
    REQUIRE(write("a.log", at, all.substr(at, 5000)));
  CHECK(fs::file_size(path_of("a.log.spool")) <= 4096 + (24 << 10));
  auto ref = close("a.log");
  REQUIRE(ref);
  CHECK(ref->truncated);
  auto content = read_all("a.log");
  CHECK(content.size() == ref->length);
  CHECK(content.substr(0, 8 << 10) == all.substr(0, 8 << 10));
  CHECK(content.substr(content.size() - (16 << 10)) == all.substr(all.size() - (16 << 10)));
  auto marker = content.substr(8 << 10, content.size() - (24 << 10));
  CHECK(marker.find(" 282624 bytes were left out here ") != std::string::npos);
  CHECK_FALSE(fs::exists(path_of("a.log.spool")));
}

TEST_CASE_METHOD(one_store, "the cut line fits even if only one byte is cut",
                 "[actor][artifacts]") {
  auto all = numbered((24 << 10) + 1);
  REQUIRE(write("a.log", 0, all));
  auto ref = close("a.log");
  REQUIRE(ref);
  CHECK(ref->truncated);
  auto content = read_all("a.log");
  CHECK(content.size() == ref->length);
  CHECK(content.substr(content.size() - 16000) == all.substr(all.size() - 16000));
}

TEST_CASE_METHOD(one_store, "a follower that is too slow jumps over what was overwritten",
                 "[actor][artifacts]") {
  auto all = numbered(100 << 10);
  REQUIRE(write("a.log", 0, all));
  auto head = read("a.log", (8 << 10) - 10);
  REQUIRE(head);
  CHECK(head->bytes.size() == 10);
  auto jumped = read("a.log", head->next, 100);
  REQUIRE(jumped);
  CHECK(jumped->from == all.size() - (16 << 10));
  CHECK(jumped->bytes == all.substr(jumped->from, 100));
}

TEST_CASE_METHOD(one_store, "zcat reads a closed artifact", "[actor][artifacts]") {
  options.limits.log_head = 4 << 20;
  stop();
  start();
  auto all = numbered(3'000'000);
  for (auto at = size_t{0}; at < all.size(); at += 200'000)
    REQUIRE(write("a.log", at, all.substr(at, 200'000)));
  REQUIRE(close("a.log"));
  auto plain = tests::run_process({"/bin/zcat", path_of("a.log.gz")});
  CHECK(plain.exit_code == 0);
  CHECK(plain.output == all);
  auto middle = read("a.log", 2'500'000, 100);
  REQUIRE(middle);
  CHECK(middle->bytes == all.substr(2'500'000, 100));
}

TEST_CASE_METHOD(one_store, "a reader waits for bytes, for the end, and for the first byte",
                 "[actor][artifacts]") {
  auto self = caf::scoped_actor{sys};
  auto early = self->request(store, 20s, read_artifact{key("a.log"), 0, 100, 15s});
  REQUIRE(write("a.log", 0, "one"));
  early.receive([](artifact_chunk& x) { CHECK(x.bytes == "one"); },
                [](caf::error& why) { FAIL(one_line(why)); });
  auto more = self->request(store, 20s, read_artifact{key("a.log"), 3, 100, 15s});
  REQUIRE(write("a.log", 3, "two"));
  more.receive([](artifact_chunk& x) { CHECK(x.bytes == "two"); },
               [](caf::error& why) { FAIL(one_line(why)); });
  auto last = self->request(store, 20s, read_artifact{key("a.log"), 6, 100, 15s});
  REQUIRE(close("a.log"));
  last.receive(
    [](artifact_chunk& x) {
      CHECK(x.bytes.empty());
      CHECK(x.complete);
    },
    [](caf::error& why) { FAIL(one_line(why)); });
}

TEST_CASE_METHOD(one_store, "a wait ends with no bytes, or not found", "[actor][artifacts]") {
  REQUIRE(write("a.log", 0, "one"));
  auto chunk = read("a.log", 3, 100, 50ms);
  REQUIRE(chunk);
  CHECK(chunk->bytes.empty());
  CHECK(chunk->next == 3);
  CHECK(code(read("b.log", 0, 100, 50ms).error()) == ec::not_found);
  CHECK(code(read("b.log", 0).error()) == ec::not_found);
}

TEST_CASE_METHOD(one_store, "the number of waiting readers is bounded", "[actor][artifacts]") {
  options.waiters = 1;
  stop();
  start();
  auto self = caf::scoped_actor{sys};
  auto first = self->request(store, 20s, read_artifact{key("a.log"), 0, 100, 10s});
  CHECK(code(read("b.log", 0, 100, 10s).error()) == ec::saturated);
  REQUIRE(write("a.log", 0, "x"));
  first.receive([](artifact_chunk&) {}, [](caf::error& why) { FAIL(one_line(why)); });
}

TEST_CASE_METHOD(one_store, "names cannot leave the folder of their run", "[actor][artifacts]") {
  for (const auto* name : {"../x", "/etc/passwd", "a/../b", "", ".", "a//b", "a\nb"})
    CHECK(code(write(name, 0, "x").error()) == ec::invalid_argument);
  CHECK(code(write(std::string(201, 'n'), 0, "x").error()) == ec::invalid_argument);
  REQUIRE(write("junit/a%2Fb.xml", 0, "hello", false));
  REQUIRE(close("junit/a%2Fb.xml"));
  CHECK(read_all("junit/a%2Fb.xml") == "hello");
  auto list = ask<artifact_list>(list_artifacts{job, 0});
  REQUIRE(list);
  REQUIRE(list->artifacts.size() == 1);
  CHECK(list->artifacts[0].name == "junit/a%2Fb.xml");
}

TEST_CASE_METHOD(one_store, "a symlink in the folder is not followed", "[actor][artifacts]") {
  REQUIRE(ask<artifact_list>(list_artifacts{job, 0})); // it has made its folder
  auto outside = tests::temp_folder{};
  fs::create_directory_symlink(outside.path(), options.folder + '/' + to_string(job));
  CHECK_FALSE(write("a.log", 0, "x"));
  CHECK(fs::is_empty(outside.path()));
}

TEST_CASE_METHOD(one_store, "other artifacts are capped, writes too", "[actor][artifacts]") {
  CHECK(end_of(write("core", 0, std::string(64 << 10, 'x'), false)) == 64 << 10);
  CHECK(code(write("core", 64 << 10, "x", false).error()) == ec::too_large);
  CHECK(code(write("big", 0, std::string((256 << 10) + 1, 'x'), false).error()) == ec::too_large);
}

TEST_CASE_METHOD(one_store, "the list has open and closed artifacts, ordered by name",
                 "[actor][artifacts]") {
  REQUIRE(write("b.log", 0, "hello"));
  REQUIRE(write("a.log", 0, "hello"));
  REQUIRE(close("b.log"));
  auto list = ask<artifact_list>(list_artifacts{job, 0});
  REQUIRE(list);
  REQUIRE(list->artifacts.size() == 2);
  CHECK(list->artifacts[0].name == "a.log");
  CHECK(list->artifacts[0].sha256.empty());
  CHECK(list->artifacts[1].sha256 == hello_sha);
  auto none = ask<artifact_list>(list_artifacts{new_job_id(), 0});
  REQUIRE(none);
  CHECK(none->artifacts.empty());
}

TEST_CASE_METHOD(one_store, "a spool that a full disk left without its header is made anew",
                 "[actor][artifacts]") {
  REQUIRE(write("other.log", 0, "x")); // makes the folder of the run
  std::ofstream{path_of("a.log.spool")} << "short";
  CHECK(code(read("a.log", 0).error()) == ec::not_found);
  std::ofstream{path_of("a.log.spool")};
  CHECK(end_of(write("a.log", 0, "hello")) == 5);
  REQUIRE(close("a.log"));
  CHECK(read_all("a.log") == "hello");
}

TEST_CASE_METHOD(one_store, "more artifacts can be open than descriptors", "[actor][artifacts]") {
  for (auto round = 0; round < 3; ++round)
    for (auto n = 0; n < 6; ++n)
      REQUIRE(write("log" + std::to_string(n), static_cast<uint64_t>(round), "x"));
  for (auto n = 0; n < 6; ++n) {
    REQUIRE(close("log" + std::to_string(n)));
    CHECK(read_all("log" + std::to_string(n)) == "xxx");
  }
}

TEST_CASE_METHOD(one_store, "a writer goes on after the store has been started again",
                 "[actor][artifacts]") {
  auto all = numbered(100 << 10);
  REQUIRE(write("a.log", 0, all));
  stop();
  start();
  CHECK(end_of(write("a.log", all.size(), "end")) == all.size() + 3);
  REQUIRE(close("a.log"));
  auto content = read_all("a.log");
  CHECK(content.substr(content.size() - 3) == "end");
}

TEST_CASE_METHOD(one_store, "what a crash left open is closed, half-written files go",
                 "[actor][artifacts]") {
  REQUIRE(write("a.log", 0, "hello"));
  stop();
  std::ofstream{path_of("b.log.tmp")} << "half";
  options.leftover_silence = 10ms;
  options.sweep_every = 20ms;
  start();
  CHECK(tests::await(10s, [&] { return fs::exists(path_of("a.log.gz")); }));
  CHECK(tests::await(10s, [&] { return !fs::exists(path_of("a.log.spool")); }));
  CHECK_FALSE(fs::exists(path_of("b.log.tmp")));
  CHECK(read_all("a.log") == "hello");
}

TEST_CASE_METHOD(one_store, "a store started again leaves alone what is still written",
                 "[actor][artifacts]") {
  for (const auto* name : {"old.log", "live.log", "later.log"})
    REQUIRE(write(name, 0, "hello"));
  stop();
  options.sweep_every = 20ms;
  auto age = [this](const char* file) {
    fs::last_write_time(path_of(file), fs::file_time_type::clock::now() - 4h);
  };
  age("old.log.spool");
  start();
  // Written after the start: then its age counts from there, whatever its file says.
  REQUIRE(write("later.log", 5, " and"));
  age("later.log.spool");
  REQUIRE(tests::await(10s, [&] {
    read("old.log", 0);
    return !fs::exists(path_of("old.log.spool"));
  }));
  CHECK(end_of(write("live.log", 5, " again")) == 11);
  CHECK(end_of(write("later.log", 9, " more")) == 14);
  CHECK(code(write("old.log", 5, "late").error()) == ec::conflict);
}

TEST_CASE_METHOD(one_store, "a crash between rename and removal leaves one artifact",
                 "[actor][artifacts]") {
  REQUIRE(write("a.log", 0, "hello"));
  fs::copy_file(path_of("a.log.spool"), path_of("kept"));
  REQUIRE(close("a.log"));
  stop();
  fs::rename(path_of("kept"), path_of("a.log.spool"));
  start();
  auto ref = close("a.log");
  REQUIRE(ref);
  CHECK(ref->sha256 == hello_sha);
  CHECK_FALSE(fs::exists(path_of("a.log.spool")));
}

TEST_CASE_METHOD(one_store, "damaged bytes are reported, not returned", "[actor][artifacts]") {
  REQUIRE(write("a.log", 0, numbered(8000)));
  REQUIRE(close("a.log"));
  stop();
  auto file = std::fstream{path_of("a.log.gz"), std::ios::in | std::ios::out | std::ios::binary};
  file.seekp(200);
  file.write("damage", 6);
  file.close();
  start();
  CHECK(code(read("a.log", 0).error()) == ec::corrupt);
  fs::resize_file(path_of("a.log.gz"), 100);
  CHECK(code(read("a.log", 0).error()) == ec::corrupt);
}

TEST_CASE_METHOD(one_store, "the disk guard refuses writes and lets artifacts be closed",
                 "[actor][artifacts]") {
  auto accepting = std::make_shared<std::atomic<bool>>(true);
  options.accepting = [accepting] { return accepting->load(); };
  stop();
  start();
  REQUIRE(write("a.log", 0, "hello"));
  *accepting = false;
  CHECK(code(write("a.log", 5, "x").error()) == ec::disk_full);
  CHECK(close("a.log"));
  *accepting = true;
  CHECK(write("b.log", 0, "x"));
}

TEST_CASE("retention removes old jobs, then the oldest until the rest fits", "[actor][artifacts]") {
  auto folder = tests::temp_folder{};
  auto store = artifact_folder::open(folder.path());
  REQUIRE(store);
  auto jobs = std::vector<job_id>{};
  for (auto age : {100h, 50h, 10h, 1h}) {
    jobs.push_back(new_job_id());
    REQUIRE(store->run_folder(jobs.back(), 0, true));
    auto run = folder.path() + '/' + to_string(jobs.back()) + "/0/";
    auto file = run + (age == 50h ? "a.log.spool" : "a.log.gz");
    std::ofstream{file} << std::string(100'000, 'x');
    auto time = fs::file_time_type::clock::now() - age;
    fs::last_write_time(file, time);
    fs::last_write_time(folder.path() + '/' + to_string(jobs.back()), time);
  }
  auto exists = [&](size_t n) { return fs::exists(folder.path() + '/' + to_string(jobs[n])); };
  CHECK(remove_expired(*store, {40h, 0}) == 1);
  CHECK_FALSE(exists(0));
  CHECK(exists(1)); // still open
  CHECK(remove_expired(*store, {0h, 250'000}) == 1);
  CHECK(exists(1));
  CHECK_FALSE(exists(2));
  CHECK(exists(3));
}

TEST_CASE("a store without its folder ends and says why", "[actor][artifacts]") {
  auto config = system_config{};
  auto sys = caf::actor_system{config};
  auto options = artifact_store_options{};
  options.folder = "/proc/no/such/place";
  auto store = sys.spawn<caf::detached>(artifact_store, options);
  auto self = caf::scoped_actor{sys};
  self->monitor(store);
  auto why = ec{};
  self->receive([&](const caf::down_msg& x) { why = explain(x.reason).code; },
                caf::after(20s) >> [] { FAIL("it did not end"); });
  CHECK(why == ec::unavailable);
}
