#include "actors/runners/elf_file.hpp"
#include "actors/runners/library_search.hpp"
#include "tests/support/elf_builder.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>

using namespace troupe;
using tests::elf_builder;

TEST_CASE("an ELF file of either width and byte order is read") {
  for (auto wide : {false, true})
    for (auto big_endian : {false, true}) {
      auto elf = read_elf(
        elf_builder{wide,
                    big_endian,
                    {{1, "libc.so.6"}, {1, "libm.so.6"}, {15, "/opt/a:"}, {29, "$ORIGIN/../lib"}}}
          .build());
      REQUIRE(elf);
      CHECK(elf->wide == wide);
      CHECK(elf->big_endian == big_endian);
      CHECK(elf->machine == 62);
      CHECK(elf->dynamic);
      CHECK(elf->needed == std::vector<std::string>{"libc.so.6", "libm.so.6"});
      CHECK(elf->rpath == std::vector<std::string>{"/opt/a:"});
      CHECK(elf->runpath == std::vector<std::string>{"$ORIGIN/../lib"});
    }
}

TEST_CASE("a program of this machine is read") {
  auto in = std::ifstream{"/bin/sh", std::ios::binary};
  auto elf = read_elf(std::string{std::istreambuf_iterator<char>{in}, {}});
  REQUIRE(elf);
  CHECK(std::find(elf->needed.begin(), elf->needed.end(), "libc.so.6") != elf->needed.end());
}

TEST_CASE("what is no ELF file is told from a damaged one") {
  CHECK(explain(read_elf("#!/bin/sh\necho a long enough script\n").error()).code
        == ec::invalid_argument);
  CHECK(explain(read_elf("").error()).code == ec::invalid_argument);
  auto bytes = elf_builder{true, false, {{1, "libc.so.6"}}}.build();
  bytes[4] = 9;
  CHECK(explain(read_elf(bytes).error()).code == ec::corrupt);
}

TEST_CASE("a file that ends early is an error at every length and never read beyond") {
  auto bytes = elf_builder{true, false, {{1, "libc.so.6"}, {29, "/opt:"}}}.build();
  for (auto size = size_t{0}; size < bytes.size(); ++size) {
    // A copy of the exact size lets the address sanitizer see a read beyond.
    auto part = std::vector<char>(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    CHECK_FALSE(read_elf({part.data(), part.size()}));
  }
}

TEST_CASE("any byte may be wrong") {
  auto good = elf_builder{false, true, {{1, "libc.so.6"}, {15, "/opt"}}}.build();
  auto read = 0;
  for (auto i = size_t{0}; i < good.size(); ++i)
    for (auto value : {0x00, 0x7F, 0x80, 0xFF}) {
      auto bytes = good;
      bytes[i] = static_cast<char>(value);
      read += read_elf(bytes) ? 1 : 0;
    }
  CHECK(read > 0);
}

TEST_CASE("an empty element of a search path is found wherever it is") {
  CHECK(has_empty_element("/opt/lib:"));
  CHECK(has_empty_element(":/opt/lib"));
  CHECK(has_empty_element("/a::/b"));
  CHECK_FALSE(has_empty_element("/a:/b"));
  CHECK_FALSE(has_empty_element(""));
}

TEST_CASE("the folders that a binary names itself know its own place") {
  auto binary = binary_file{"/opt/x/bin/tool", elf_file{}};
  binary.elf->rpath = {"$ORIGIN/../lib:/usr/local/lib"};
  binary.elf->runpath = {":relative:${ORIGIN}"};
  CHECK(own_folders(binary)
        == std::vector<std::string>{"/opt/x/bin/../lib", "/usr/local/lib", "/opt/x/bin"});
}

TEST_CASE("the loader's cache of this machine names the C library") {
  auto in = std::ifstream{"/etc/ld.so.cache", std::ios::binary};
  auto bytes = std::string{std::istreambuf_iterator<char>{in}, {}};
  CHECK(read_loader_cache(bytes).contains("libc.so.6"));
  for (auto size = size_t{0}; size < 2000; ++size)
    read_loader_cache(std::string_view{bytes}.substr(0, size));
  CHECK(read_loader_cache("nothing").empty());
}

TEST_CASE("what ldd says is kept apart by file") {
  auto answers =
    read_ldd("  \tlibc.so.6 => /lib/libc.so.6 (0x1)\n 0 is no number of ours\n0 ends 0\n"
             " \tlibtroupemissing.so => not found\n \tliba.so => not found\n7 ends 1\n");
  CHECK(answers[0].missing.empty());
  CHECK(answers[0].exit_code == 0);
  CHECK(answers[7].missing == std::vector<std::string>{"libtroupemissing.so", "liba.so"});
  CHECK(answers[7].exit_code == 1);
}
