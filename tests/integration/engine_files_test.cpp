#include "tests/integration/engine_fixture.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace troupe;
using namespace troupe::tests;

namespace {

std::map<std::string, archive_entry> read_all(environment& where, const std::string& path,
                                              uint64_t bytes_per_file = 1 << 20) {
  auto out = std::map<std::string, archive_entry>{};
  auto why = where.get(path, bytes_per_file, [&out](const archive_entry& one) {
    out[one.path] = one;
    return true;
  });
  CHECK(code_of(why) == ec{});
  return out;
}

} // namespace

TEST_CASE("files that were put are read back with their bytes and modes") {
  auto box = started_container();
  auto binary = std::string("\0\xff\n", 3);
  CHECK_FALSE(box->put({{"/troupe/tests/run.sh", 0755, "#!/bin/sh\necho hi\n"},
                        {"/troupe/tests/deep/er/data", 0600, binary},
                        {"/troupe/tests/empty", 0644, ""}}));
  CHECK(run_in(*box, {"/troupe/tests/run.sh"}).out == "hi\n");
  auto all = read_all(*box, "/troupe/tests");
  CHECK(all.at("tests").what == archive_entry::type::folder);
  CHECK(all.at("tests/run.sh").mode == 0755);
  CHECK(all.at("tests/deep/er/data").bytes == binary);
  CHECK(all.at("tests/deep/er/data").mode == 0600);
  CHECK(all.at("tests/empty").bytes.empty());
}

TEST_CASE("a large file is put whole and read back up to the caller's limit") {
  auto box = started_container();
  auto large = std::string(20 << 20, 'x');
  CHECK_FALSE(box->put({{"/large", 0644, large}}));
  auto all = read_all(*box, "/large", 1000);
  CHECK(all.at("large").size == large.size());
  CHECK(all.at("large").bytes == std::string(1000, 'x'));
}

TEST_CASE("symlinks and hard links are told, not followed") {
  auto box = started_container();
  run_in(*box, {"sh", "-c",
                "mkdir /links && cd /links && echo secret >/target && ln -s /target away && ln -s "
                "/none dangling && echo one >a && ln a b && mkfifo pipe"});
  auto all = read_all(*box, "/links");
  CHECK(all.at("links/away").what == archive_entry::type::symlink);
  CHECK(all.at("links/away").link_target == "/target");
  CHECK(all.at("links/away").bytes.empty());
  CHECK(all.at("links/dangling").link_target == "/none");
  CHECK(all.at("links/pipe").what == archive_entry::type::other);
  CHECK(all.at("links/a").what == archive_entry::type::file);
  CHECK(all.at("links/b").what == archive_entry::type::file);
}

TEST_CASE("a path that is not there is not found, and a reader may stop early") {
  auto box = started_container();
  auto why = box->get("/no/such/path", 10, [](const archive_entry&) { return true; });
  CHECK(code_of(why) == ec::not_found);
  auto seen = 0;
  CHECK_FALSE(box->get("/usr", 10, [&seen](const archive_entry&) { return ++seen < 3; }));
  CHECK(seen == 3);
  CHECK(run_in(*box, {"true"}).result.exit_code == 0);
}

TEST_CASE("a path with characters of a URL is itself") {
  auto box = started_container();
  CHECK_FALSE(box->put({{"/odd/a b&c=d?e#f%20+", 0644, "odd"}}));
  CHECK(read_all(*box, "/odd/a b&c=d?e#f%20+").at("a b&c=d?e#f%20+").bytes == "odd");
}
