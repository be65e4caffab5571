#include "actors/runners/docker/tar_archive.hpp"
#include "messages/error.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

std::vector<archive_entry> entries_of(std::string_view tar, size_t step, const tar_limits& limits,
                                      caf::error* why = nullptr) {
  auto out = std::vector<archive_entry>{};
  auto more = [&tar, step]() {
    auto piece = tar.substr(0, step);
    tar.remove_prefix(piece.size());
    return piece;
  };
  auto ended = read_tar(limits, more, [&out](const archive_entry& one) {
    out.push_back(one);
    return true;
  });
  if (why != nullptr)
    *why = ended;
  return out;
}

std::string tar_of(const std::vector<environment_file>& files) {
  auto tar = write_tar(files);
  REQUIRE(tar);
  return *tar;
}

} // namespace

TEST_CASE("a tar ends with exactly two zero blocks") {
  auto tar = tar_of({{"/a", 0644, "x"}});
  CHECK(tar.size() == 512 + 512 + 1024);
  CHECK(tar.substr(tar.size() - 1024) == std::string(1024, '\0'));
  CHECK(tar[tar.size() - 1024 - 512] == 'x');
}

TEST_CASE("a tar reads back as it was written, however it is cut, with long names too") {
  auto long_name = "/" + std::string(90, 'd') + "/" + std::string(180, 'f');
  auto files =
    std::vector<environment_file>{{"/a/b", 0755, "one"}, {long_name, 0600, std::string(5000, 'y')}};
  auto tar = tar_of(files);
  for (auto step : {size_t{1}, size_t{511}, size_t{1024}, tar.size()}) {
    auto got = entries_of(tar, step, {});
    REQUIRE(got.size() == 2);
    CHECK(got[0].path == "a/b");
    CHECK(got[0].mode == 0755);
    CHECK(got[0].bytes == "one");
    CHECK("/" + got[1].path == long_name);
    CHECK(got[1].bytes == files[1].bytes);
  }
}

TEST_CASE("only the first bytes of a file are kept, its size is told") {
  auto got = entries_of(tar_of({{"/a", 0644, std::string(5000, 'y')}, {"/b", 0644, "z"}}), 512,
                        {.kept_per_file = 10});
  REQUIRE(got.size() == 2);
  CHECK(got[0].bytes == "yyyyyyyyyy");
  CHECK(got[0].size == 5000);
  CHECK(got[1].bytes == "z");
}

TEST_CASE("too many bytes or entries end the reading") {
  auto tar = tar_of({{"/a", 0644, std::string(5000, 'y')}, {"/b", 0644, "z"}});
  auto why = caf::error{};
  entries_of(tar, 512, {.bytes = 2000}, &why);
  CHECK(explain(why).code == ec::too_large);
  CHECK(entries_of(tar, 512, {.entries = 1}, &why).size() == 1);
  CHECK(explain(why).code == ec::too_large);
}

TEST_CASE("damaged archives are told from empty ones") {
  auto why = caf::error{};
  CHECK(entries_of("", 512, {}, &why).empty());
  CHECK_FALSE(why);
  entries_of(std::string(2000, 'g'), 512, {}, &why);
  CHECK(explain(why).code == ec::corrupt);
  auto tar = tar_of({{"/a", 0644, std::string(5000, 'y')}});
  entries_of(std::string_view{tar}.substr(0, 2000), 512, {}, &why);
  CHECK(explain(why).code == ec::corrupt);
}

TEST_CASE("a file to put needs an absolute path") {
  CHECK_FALSE(write_tar({{"relative", 0644, ""}}));
  CHECK_FALSE(write_tar({{"/folder/", 0644, ""}}));
}
