#include "config/section.hpp"
#include "config/units.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

section text(std::string_view yaml) {
  auto x = section::from_text(yaml, "test.yaml");
  REQUIRE(x);
  return *x;
}

/// Returns what `done` says, one line per fault.
std::string said(const section& x) {
  auto err = x.done();
  return err ? explain(err).text : std::string{};
}

std::string refusal(std::string_view yaml) {
  auto x = section::from_text(yaml, "test.yaml");
  REQUIRE_FALSE(x);
  CHECK(explain(x.error()).code == ec::invalid_config);
  return one_line(x.error());
}

/// A file that is gone when the test ends.
struct scratch_file {
  explicit scratch_file(std::string_view content, mode_t mode = 0600) {
    char name[] = "/tmp/troupe-section-XXXXXX";
    auto fd = ::mkstemp(name);
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    REQUIRE(::fchmod(fd, mode) == 0);
    ::close(fd);
    path = name;
  }
  ~scratch_file() {
    ::unlink(path.c_str());
  }
  std::string path;
};

} // namespace

TEST_CASE("an absent key keeps the default") {
  auto in = text("other: 1\n");
  auto name = std::string{"standard"};
  auto port = uint16_t{8000};
  in.read("name", name);
  in.read("port", port, 1, 65535);
  CHECK(name == "standard");
  CHECK(port == 8000);
}

TEST_CASE("every kind of value is read") {
  auto in = text("text: hello\nnumber: 12\nyes: true\nratio: 0.25\nwait: 90s\nsize: 10MiB\n"
                 "names: [a, b]\npairs: {x: 1, y: two}\n");
  auto word = std::string{};
  auto number = int32_t{0};
  auto yes = false;
  auto ratio = 0.0;
  auto wait = std::chrono::milliseconds{0};
  auto size = uint64_t{0};
  auto names = std::vector<std::string>{};
  auto pairs = std::map<std::string, std::string>{};
  in.read("text", word);
  in.read("number", number, 0, 100);
  in.read("yes", yes);
  in.read("ratio", ratio, 0, 1);
  in.read("wait", wait);
  in.read_size("size", size);
  in.read("names", names);
  in.read("pairs", pairs);
  CHECK(said(in).empty());
  CHECK(word == "hello");
  CHECK(number == 12);
  CHECK(yes);
  CHECK(ratio == 0.25);
  CHECK(wait == 90s);
  CHECK(size == 10 << 20);
  CHECK(names == std::vector<std::string>{"a", "b"});
  CHECK(pairs == std::map<std::string, std::string>{{"x", "1"}, {"y", "two"}});
}

TEST_CASE("all faults are reported at once, in file order, with place and key path") {
  auto in = text("port: many\n"
                 "http:\n"
                 "  worker: 3\n"
                 "  idle: 15\n"
                 "tls: perhaps\n");
  auto flag = false;
  auto number = int64_t{1};
  auto wait = std::chrono::milliseconds{1};
  in.read("tls", flag);
  auto http = in.child("http");
  http.read("workers", number, 1, 9);
  http.read("idle", wait);
  in.read("port", number, 1, 65535);
  CHECK(said(in)
        == "test.yaml:1:7: port: must be a whole number between 1 and 65535\n"
           "test.yaml:3:3: http.worker: unknown key, did you mean \"workers\"?\n"
           "test.yaml:4:9: http.idle: must be a duration with a unit: ms, s, m, h or d (\"90s\")\n"
           "test.yaml:5:6: tls: must be true or false");
  CHECK(number == 1);
  CHECK(wait == 1ms);
}

TEST_CASE("an unknown key that resembles nothing names what is known") {
  auto in = text("zebra: 1\n");
  auto x = std::string{};
  in.read("address", x);
  in.read("port", x);
  CHECK(said(in) == "test.yaml:1:1: zebra: unknown key; known here: address, port");
}

TEST_CASE("a wrong type names what it is and what it must be") {
  auto in = text("a: [1]\nb: {c: 1}\nd:\ne: \"5\"\nf: word\ng: [{x: 1}]\nh: {x: [1]}\n");
  auto t = std::string{};
  auto n = int64_t{0};
  auto list = std::vector<std::string>{};
  auto map = std::map<std::string, std::string>{};
  in.read("a", t);
  in.read("b", t);
  in.read("d", t);
  in.read("e", n, 0, 9);
  in.read("f", list);
  in.read("g", list);
  in.read("h", map);
  CHECK(said(in)
        == "test.yaml:1:4: a: must be text, not a list\n"
           "test.yaml:2:4: b: must be text, not a mapping\n"
           "test.yaml:3:1: d: must be text, not empty\n"
           "test.yaml:4:4: e: must be a whole number between 0 and 9, not quoted text\n"
           "test.yaml:5:4: f: must be a list of text\n"
           "test.yaml:6:5: g[0]: must be text\n"
           "test.yaml:7:8: h.x: must be text");
}

TEST_CASE("numbers are exact: no octal, no fraction, no overflow, no infinity") {
  for (auto bad : {"0644", "1.5", "99999999999999999999", "0x10", "1_000", "-1", "+1"}) {
    auto in = text("n: " + std::string{bad} + "\n");
    auto n = int64_t{7};
    in.read("n", n, 0, INT64_MAX);
    CHECK_FALSE(said(in).empty());
    CHECK(n == 7);
  }
  for (auto bad : {".inf", "nan", "inf", "1e999", "2"}) {
    auto in = text("n: " + std::string{bad} + "\n");
    auto n = 0.5;
    in.read("n", n, 0, 1);
    CHECK_FALSE(said(in).empty());
    CHECK(n == 0.5);
  }
}

TEST_CASE("durations and sizes need a known unit and a sane value") {
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("7d") == std::chrono::hours{168});
  for (auto bad : {"", "5", "s", "-1s", "1.5s", "1 s", "1S", "99999999999d", "1sm"})
    CHECK_FALSE(parse_duration(bad));
  CHECK(parse_size("4096B") == 4096u);
  CHECK(parse_size("1TiB") == uint64_t{1} << 40);
  for (auto bad : {"", "5", "10MB", "10M", "1kib", "8388608TiB"})
    CHECK_FALSE(parse_size(bad));
  CHECK(duration_text(90s) == "90s");
  CHECK(duration_text(std::chrono::hours{24}) == "1d");
  CHECK(size_text(10 << 20) == "10MiB");
}

TEST_CASE("the edit distance counts a swap of neighbours as one") {
  CHECK(edit_distance("workers", "workers") == 0);
  CHECK(edit_distance("wrokers", "workers") == 1);
  CHECK(edit_distance("worker", "workers") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("a key that appears twice is a fault and the first one counts") {
  auto in = text("a: 1\nb: {x: 1, x: 2}\na: 2\n");
  auto n = int64_t{0};
  auto map = std::map<std::string, std::string>{};
  in.read("a", n, 0, 9);
  in.read("b", map);
  CHECK(n == 1);
  CHECK(said(in)
        == "test.yaml:2:11: b.x: the key appears twice\ntest.yaml:3:1: a: the key appears twice");
}

TEST_CASE("lists of mappings and mappings with names as keys are read") {
  auto in = text("runners:\n  - {name: a}\n  - {nam: b}\n  - 5\nqueues:\n  one: {cost: 1}\n");
  auto name = std::string{};
  auto runners = in.list("runners");
  REQUIRE(runners.size() == 2);
  for (auto& r : runners)
    r.read("name", name);
  auto queues = in.child("queues");
  REQUIRE(queues.keys() == std::vector<std::string>{"one"});
  auto cost = int64_t{0};
  queues.child("one").read("cost", cost, 0, 4);
  CHECK(cost == 1);
  CHECK(said(in)
        == "test.yaml:3:6: runners[1].nam: unknown key, did you mean \"name\"?\n"
           "test.yaml:4:5: runners[2]: must be a mapping");
}

TEST_CASE("a component can complain at a key") {
  auto in = text("driver: doker\n");
  auto driver = std::string{};
  in.read("driver", driver);
  in.complain("driver", "no such driver");
  in.complain("missing", "is required");
  CHECK(said(in) == "test.yaml:1:1: missing: is required\ntest.yaml:1:9: driver: no such driver");
}

TEST_CASE("an empty file and an empty section are mappings without keys") {
  CHECK(text("").keys().empty());
  CHECK(text("# nothing\n").keys().empty());
  auto in = text("http:\n");
  CHECK(in.has("http"));
  auto port = uint16_t{1};
  in.child("http").read("port", port, 1, 9);
  CHECK(said(in).empty());
  CHECK(section{}.keys().empty());
}

TEST_CASE("anchors, aliases, tags, deep nesting and foreign shapes are refused with their place") {
  CHECK(refusal("a: &x 1\n") == "test.yaml:1:4: anchors are not allowed");
  CHECK(refusal("a: 1\nb: *a\n").find("test.yaml:2:4") == 0);
  CHECK(refusal("a: !!str 1\n") == "test.yaml:1:4: tags are not allowed");
  CHECK(refusal("a: !python/object 1\n") == "test.yaml:1:4: tags are not allowed");
  CHECK(refusal("{[1]: 2}\n").find("a key must be plain text") != std::string::npos);
  CHECK(refusal("- 1\n") == "test.yaml:1:1: the file must be a mapping (\"key: value\" lines)");
  CHECK(refusal("a: 1\n---\nb: 2\n").find("more than one document") != std::string::npos);
  CHECK(refusal("a: [1\nb: 2\n").find("test.yaml:2") == 0);
  CHECK(refusal(std::string("a: \0", 4)) == "test.yaml: the file is not text");
  CHECK(refusal("a: " + std::string(500, '[') + std::string(500, ']'))
        == "test.yaml:1:35: nested deeper than 32");
  refusal("a: " + std::string(1'000'000, '['));
  refusal(std::string(500'000, '{') + std::string(500'000, '}'));
}

TEST_CASE("a billion laughs are refused at the first anchor") {
  auto laughs = std::string{"a: &a [\"lol\",\"lol\",\"lol\",\"lol\",\"lol\",\"lol\",\"lol\"]\n"};
  for (auto c = 'b'; c <= 'i'; ++c) {
    auto before = std::string{"*"} + static_cast<char>(c - 1);
    laughs += std::string{c} + ": &" + c + " [" + before + "," + before + "," + before + ","
              + before + "," + before + "]\n";
  }
  CHECK(refusal(laughs) == "test.yaml:1:4: anchors are not allowed");
}

TEST_CASE("size and number of values are capped") {
  CHECK(refusal(std::string((1 << 20) + 1, ' ')).find("larger than 1048576 bytes")
        != std::string::npos);
  auto many = std::string{"a: ["};
  for (auto i = 0; i < 100'001; ++i)
    many += "1,";
  CHECK(refusal(many + "]\n").find("more than 100000 values") != std::string::npos);
}

TEST_CASE("a secret comes from a file, without its newline") {
  auto file = scratch_file{"s3cret-value\n"};
  auto in = text("token_file: " + file.path + "\n");
  auto token = std::string{};
  in.read_secret("token", token);
  CHECK(said(in).empty());
  CHECK(token == "s3cret-value");
}

TEST_CASE("a secret comes from a variable") {
  ::setenv("TROUPE_SECTION_TEST", "from-the-environment", 1);
  auto in = text("token_env: TROUPE_SECTION_TEST\n");
  auto token = std::string{};
  in.read_secret("token", token);
  ::unsetenv("TROUPE_SECTION_TEST");
  CHECK(said(in).empty());
  CHECK(token == "from-the-environment");
}

TEST_CASE("a secret in the file itself is refused and never repeated") {
  auto in = text("token: hunter2hunter2\n");
  auto token = std::string{};
  in.read_secret("token", token);
  CHECK(token.empty());
  CHECK(said(in)
        == "test.yaml:1:8: token: a secret is never written here; use token_file or token_env");
}

TEST_CASE("a secret that cannot be had is a fault") {
  auto empty = scratch_file{"\n"};
  auto in = text("a_file: /nowhere/at/all\nb_env: TROUPE_NOT_SET\nc_file: " + empty.path
                 + "\nd_file: x\nd_env: y\ne_file: /dev/zero\n");
  auto x = std::string{};
  for (auto key : {"a", "b", "c", "d", "e"})
    in.read_secret(key, x);
  CHECK(x.empty());
  CHECK(said(in)
        == "test.yaml:1:9: a_file: /nowhere/at/all: No such file or directory\n"
           "test.yaml:2:8: b_env: the variable TROUPE_NOT_SET is not set\n"
           "test.yaml:3:9: c_file: "
             + empty.path
             + ": the file is empty\n"
               "test.yaml:5:8: d_env: only one of d_file and d_env\n"
               "test.yaml:6:9: e_file: /dev/zero: not a regular file");
}

TEST_CASE("a section tells which keys it was asked for, with their defaults") {
  auto in = section{};
  auto port = uint16_t{8000};
  auto wait = std::chrono::milliseconds{15s};
  auto token = std::string{"hidden"};
  auto http = in.child("http");
  http.read("port", port, 1, 65535);
  http.read("idle_time", wait);
  http.read_secret("jwt_secret", token);
  auto keys = in.described();
  REQUIRE(keys.size() == 4);
  CHECK(keys[0].key == "http.port");
  CHECK(keys[0].kind == "number 1..65535");
  CHECK(keys[0].standard == "8000");
  CHECK(keys[1].standard == "15s");
  CHECK(keys[2].key == "http.jwt_secret_file");
  CHECK(keys[2].standard.empty());
}

TEST_CASE("a file that cannot be read says why") {
  auto x = section::from_file("/nowhere/node.yaml");
  REQUIRE_FALSE(x);
  CHECK(one_line(x.error()) == "/nowhere/node.yaml: No such file or directory");
}
