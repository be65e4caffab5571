/// The rules of the house that a machine can check: who may include whom, which
/// library lives where, how long a file may be. Source: CONTRIBUTING.md, DESIGN 7, 8.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

const auto top = fs::path{TROUPE_SOURCE_DIR};

bool is_code(const fs::path& file) {
  return file.extension() == ".hpp" || file.extension() == ".cpp";
}

std::vector<fs::path> code_of(const std::string& folder) {
  auto out = std::vector<fs::path>{};
  for (const auto& entry : fs::recursive_directory_iterator{top / folder}) {
    auto text = entry.path().string();
    if (is_code(entry.path()) && text.find("node_modules") == std::string::npos)
      out.push_back(entry.path());
  }
  return out;
}

std::vector<std::string> lines_of(const fs::path& file) {
  auto in = std::ifstream{file};
  auto out = std::vector<std::string>{};
  for (auto line = std::string{}; std::getline(in, line);)
    out.push_back(line);
  return out;
}

struct include {
  std::string target;
  bool quoted = false;
};

std::optional<include> include_of(std::string_view line) {
  constexpr auto word = std::string_view{"#include "};
  auto at = line.find_first_not_of(' ');
  if (at == std::string_view::npos || line.substr(at, word.size()) != word)
    return std::nullopt;
  line.remove_prefix(at + word.size());
  auto end = line.find_first_of(">\"", 1);
  if (line.empty() || end == std::string_view::npos)
    return std::nullopt;
  return include{std::string{line.substr(1, end - 1)}, line[0] == '"'};
}

std::string house_path(const fs::path& file) {
  return fs::relative(file, top).string();
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const auto& p) { return text.rfind(p, 0) == 0; });
}

} // namespace

TEST_CASE("folders include only what the dependency table allows", "[unit][layering]") {
  const auto allowed = std::map<std::string, std::set<std::string>>{
    {"messages", {"messages"}},
    {"config", {"config", "messages"}},
    {"actors", {"actors", "config", "messages"}},
    {"bridges", {"bridges", "config", "messages"}},
    {"nodes", {"nodes", "bridges", "actors", "config", "messages"}},
    {"bench", {"bench", "tests", "nodes", "bridges", "actors", "config", "messages"}},
  };
  for (const auto& [folder, targets] : allowed)
    for (const auto& file : code_of(folder))
      for (const auto& line : lines_of(file))
        if (auto found = include_of(line); found && found->quoted) {
          INFO(house_path(file) << ": " << line);
          CHECK(targets.count(found->target.substr(0, found->target.find('/'))) == 1);
        }
}

TEST_CASE("each library is included in its home only", "[unit][layering]") {
  const auto homes = std::map<std::string, std::vector<std::string>>{
    {"caf/io/", {"nodes/cluster"}},
    {"caf/openssl/", {"nodes/cluster"}},
    {"rocksdb/", {"actors/store", "tests/support", "bench"}},
    {"archive", {"actors/artifacts", "actors/runners"}},
    {"yaml-cpp/", {"config"}},
    {"spdlog/", {"config"}},
    {"httplib.h", {"bridges/http"}},
    {"openssl/", {"bridges/http", "actors/artifacts", "nodes/cluster"}},
    {"amqp", {"bridges/amqp", "tests/support", "bench"}},
    {"xxhash.h", {"bridges/amqp"}},
    {"CLI/", {"nodes"}},
    {"sqlite3", {"nodes/cli"}},
    {"hiredis/", {"nodes/cli"}},
    {"prometheus/", {"bridges/http"}},
    {"systemd/", {"nodes"}},
    {"nlohmann/", {"messages/json.hpp"}},
    {"caf/all.hpp", {}},
    {"regex", {}},
  };
  for (const auto& folder : {"messages", "config", "actors", "bridges", "nodes", "tests", "bench"})
    for (const auto& file : code_of(folder))
      for (const auto& line : lines_of(file))
        if (auto found = include_of(line); found && !found->quoted)
          for (const auto& [library, places] : homes)
            if (found->target.rfind(library, 0) == 0) {
              INFO(house_path(file) << ": " << line);
              CHECK(starts_with_any(house_path(file), places));
            }
}

TEST_CASE("no file is longer than 500 lines", "[unit][layering]") {
  for (const auto& folder : {"messages", "config", "actors", "bridges", "nodes", "tests", "bench"})
    for (const auto& file : code_of(folder)) {
      INFO(house_path(file));
      CHECK(lines_of(file).size() <= 500);
    }
}

TEST_CASE("the host side has no shell", "[unit][layering]") {
  for (const auto& folder : {"messages", "config", "actors", "bridges", "nodes"})
    for (const auto& file : code_of(folder))
      for (const auto& line : lines_of(file)) {
        INFO(house_path(file) << ": " << line);
        for (const auto* call : {" system(", "::system(", "popen("})
          CHECK(line.find(call) == std::string::npos);
      }
}

TEST_CASE("names that say nothing are not used for files", "[unit][layering]") {
  for (const auto& folder : {"messages", "config", "actors", "bridges", "nodes"})
    for (const auto& file : code_of(folder)) {
      auto words = '_' + file.stem().string() + '_';
      INFO(house_path(file));
      for (const auto* word : {"manager", "util", "utils", "helper", "helpers", "common", "misc",
                               "base", "impl", "data", "info"})
        CHECK(words.find('_' + std::string{word} + '_') == std::string::npos);
    }
}
