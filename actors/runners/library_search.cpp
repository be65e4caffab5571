#include "actors/runners/library_search.hpp"

#include "actors/runners/package_family.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {

namespace {

constexpr auto binary_list = "/troupe/package.binaries";
constexpr auto candidate_list = "/troupe/package.libraries";
constexpr auto loader_cache = "/etc/ld.so.cache";
constexpr auto most_cache_bytes = uint64_t{8} << 20;

/// What ldd prints is indented, so a line that starts with a number is ours.
constexpr auto ldd_script = std::string_view{R"sh(command -v ldd >/dev/null 2>&1 || exit 127
n=0
while IFS= read -r f; do
  text=$(ldd "$f" </dev/null 2>&1)
  code=$?
  printf '%s\n' "$text" | sed 's/^/ /'
  echo "$n ends $code"
  n=$((n + 1))
done < "$1"
exit 0
)sh"};

constexpr auto exists_script = std::string_view{R"sh(while IFS= read -r f; do
  if [ -e "$f" ]; then echo yes; else echo no; fi
done < "$1"
)sh"};

constexpr std::string_view default_folders[] = {
  "/lib", "/usr/lib", "/lib64", "/usr/lib64", "/lib32", "/usr/lib32",
};

std::string lines_of(const std::vector<std::string>& lines) {
  auto out = std::string{};
  for (const auto& line : lines)
    out += line + '\n';
  return out;
}

void complain(std::vector<std::string>& problems, const std::string& path,
              const std::vector<std::string>& missing) {
  auto text = path + " needs";
  for (const auto& name : missing)
    text += ' ' + name;
  problems.push_back(text + (missing.size() == 1 ? ", which is missing" : ", which are missing"));
}

/// The loader's search where there is no ldd: cache, own folders, default folders.
stage_end search_alone(package_session& s, const std::vector<binary_file>& binaries,
                       std::vector<std::string>& problems) {
  auto known = std::set<std::string>{};
  auto why = s.get(loader_cache, most_cache_bytes, [&](const archive_entry& entry) {
    known = read_loader_cache(entry.bytes);
    return false;
  });
  if (why && explain(why).code == ec::unavailable)
    return {reason::env_lost, 0, "cannot read the loader's cache: " + one_line(why), {}};
  auto candidates = std::vector<std::string>{};
  auto folders_of = [](const binary_file& binary) {
    auto folders = own_folders(binary);
    folders.insert(folders.end(), std::begin(default_folders), std::end(default_folders));
    return folders;
  };
  for (const auto& binary : binaries)
    if (binary.elf)
      for (const auto& name : binary.elf->needed)
        if (!known.contains(name))
          for (const auto& folder : folders_of(binary))
            candidates.push_back(folder + '/' + name);
  if (auto end = s.put({{candidate_list, 0644, lines_of(candidates)}}); !end)
    return end;
  auto text = std::string{};
  auto result = s.run({.argv = {"sh", "-c", std::string{exists_script}, "troupe", candidate_list},
                       .shown = "look for shared libraries",
                       .logged = false},
                      text);
  if (auto end = s.judge(result, reason::exec_infra, "the search for libraries"); !end)
    return end;
  auto answers = std::string_view{text};
  for (const auto& binary : binaries) {
    auto missing = std::vector<std::string>{};
    if (!binary.elf)
      continue;
    for (const auto& name : binary.elf->needed) {
      if (known.contains(name))
        continue;
      auto there = false;
      for (auto i = folders_of(binary).size(); i > 0; --i) {
        there = there || answers.starts_with("yes");
        answers.remove_prefix(std::min(answers.find('\n'), answers.size() - 1) + 1);
      }
      if (!there)
        missing.push_back(name);
    }
    if (!missing.empty())
      complain(problems, binary.path, missing);
  }
  return {};
}

} // namespace

stage_end find_missing_libraries(package_session& s, const std::vector<binary_file>& binaries,
                                 std::vector<std::string>& problems) {
  auto paths = std::vector<std::string>{};
  for (const auto& binary : binaries)
    paths.push_back(binary.path);
  if (auto end = s.put({{binary_list, 0644, lines_of(paths)}}); !end)
    return end;
  auto text = std::string{};
  auto result = s.run({.argv = {"sh", "-c", std::string{ldd_script}, "troupe", binary_list},
                       .shown = "ldd of " + std::to_string(paths.size()) + " binaries",
                       .logged = false},
                      text);
  if (result.how == command_result::end::exited && result.exit_code == 127)
    return search_alone(s, binaries, problems);
  if (auto end = s.judge(result, reason::exec_infra, "ldd"); !end)
    return end;
  for (const auto& [number, answer] : read_ldd(text)) {
    if (number >= binaries.size())
      continue;
    const auto& binary = binaries[number];
    if (!answer.missing.empty())
      complain(problems, binary.path, answer.missing);
    else if (answer.exit_code != 0 && binary.elf)
      problems.push_back(binary.path + " cannot be loaded: ldd ended with exit code "
                         + std::to_string(answer.exit_code));
  }
  return {};
}

std::map<size_t, ldd_answer> read_ldd(std::string_view text) {
  auto out = std::map<size_t, ldd_answer>{};
  auto found = ldd_answer{};
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with(' ')) {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      // Version complaints ("version `X' not found") are failures of ldd itself.
      if (auto arrow = line.find(" => not found"); arrow != std::string_view::npos)
        found.missing.emplace_back(line.substr(0, arrow));
      continue;
    }
    auto number = size_t{0};
    auto [rest, fault] = std::from_chars(line.data(), line.data() + line.size(), number);
    auto tail = line.substr(static_cast<size_t>(rest - line.data()));
    if (fault != std::errc{} || !tail.starts_with(" ends "))
      continue;
    tail.remove_prefix(6);
    std::from_chars(tail.data(), tail.data() + tail.size(), found.exit_code);
    out[number] = std::move(found);
    found = {};
  }
  return out;
}

std::set<std::string> read_loader_cache(std::string_view bytes) {
  constexpr auto magic = std::string_view{"glibc-ld.so.cache1.1"};
  constexpr auto header_size = size_t{48};
  constexpr auto entry_size = size_t{24};
  auto out = std::set<std::string>{};
  // The older form begins with its own table and holds the newer one behind it.
  auto start = bytes.find(magic);
  if (start == std::string_view::npos)
    return out;
  bytes.remove_prefix(start);
  auto number = [&](size_t at) {
    auto x = uint32_t{0};
    for (auto i = size_t{4}; i > 0 && at + 4 <= bytes.size(); --i)
      x = x << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
    return x;
  };
  auto count = number(magic.size());
  for (auto i = size_t{0}; i < count && header_size + (i + 1) * entry_size <= bytes.size(); ++i) {
    auto key = number(header_size + i * entry_size + 4);
    if (key >= bytes.size())
      continue;
    auto name = bytes.substr(key, 4096);
    out.emplace(name.substr(0, name.find('\0')));
  }
  return out;
}

std::vector<std::string> own_folders(const binary_file& binary) {
  auto out = std::vector<std::string>{};
  if (!binary.elf)
    return out;
  auto origin = binary.path.substr(0, binary.path.rfind('/'));
  for (auto* list : {&binary.elf->rpath, &binary.elf->runpath})
    for (auto rest : *list)
      while (!rest.empty()) {
        auto end = std::min(rest.find(':'), rest.size());
        auto folder = rest.substr(0, end);
        rest.erase(0, end + 1);
        for (auto* token : {"${ORIGIN}", "$ORIGIN"})
          if (auto at = folder.find(token); at != std::string::npos)
            folder.replace(at, std::string_view{token}.size(), origin);
        if (folder.starts_with('/') && folder.find('\n') == std::string::npos)
          out.push_back(folder);
      }
  return out;
}

} // namespace troupe
