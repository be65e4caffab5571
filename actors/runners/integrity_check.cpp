#include "actors/runners/integrity_check.hpp"

#include "actors/runners/library_search.hpp"
#include "actors/runners/tap.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr auto path_list = "/troupe/package.files";

/// One line per path: its type, and the target of a link that dangles.
// clang-format off
constexpr auto listing_script = std::string_view{R"sh(exec 2>/dev/null
magic=$(printf '\177ELF')
while IFS= read -r f; do
  if [ -L "$f" ]; then
    if [ -e "$f" ]; then echo link; else echo "dangling $(readlink "$f" | head -n 1)"; fi
  elif [ -d "$f" ]; then echo folder
  elif [ -f "$f" ]; then
    if [ "$(head -c 4 "$f")" = "$magic" ]; then echo elf; else echo file; fi
  elif [ -e "$f" ]; then echo other
  else echo missing
  fi
done < "$1"
)sh"};
// clang-format on

/// One of the four checks.
struct check_result {
  std::vector<std::string> problems;
  std::string skipped;
};

/// Takes the next line off the front.
std::string_view take_line(std::string_view& text) {
  auto end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string joined(const std::vector<std::string>& lines) {
  auto out = std::string{};
  for (const auto& line : lines)
    out += line + '\n';
  return out;
}

bool holds_debug_files_only(std::string_view package) {
  for (auto suffix : {"-debuginfo", "-debugsource", "-dbgsym", "-dbg"})
    if (package.ends_with(suffix))
      return true;
  return false;
}

/// The checks of one package, in order; each leaves its problems behind.
class integrity_check {
public:
  integrity_check(package_session& s, package_family& family) : s_{s}, family_{family} {}

  stage_end run() {
    for (auto part : {&integrity_check::check_installed, &integrity_check::check_files,
                      &integrity_check::check_binaries})
      if (auto end = (this->*part)(); !end)
        return end;
    return summary();
  }

private:
  stage_end check_installed() {
    auto found = std::vector<installed_package>{};
    if (auto end = family_.find(s_, found); !end)
      return end;
    const auto& spec = s_.spec;
    if (found.empty()) {
      installed_.problems.push_back("package " + spec.package_name + " is not installed");
      files_.skipped = libraries_.skipped = paths_.skipped = "the package is not installed";
      return {};
    }
    for (const auto& one : found)
      if (family_.is_asked_for(spec, one))
        return {};
    installed_.problems.push_back("version " + found.front().version + " of " + spec.package_name
                                  + " is installed instead of " + spec.package_version);
    return {};
  }

  stage_end check_files() {
    if (files_.skipped.empty() && holds_debug_files_only(s_.spec.package_name))
      files_.skipped = libraries_.skipped = paths_.skipped = "the package holds debug files only";
    if (!files_.skipped.empty())
      return {};
    auto paths = std::vector<std::string>{};
    if (auto end = family_.list_files(s_, paths); !end)
      return end;
    std::erase_if(paths, [](const auto& p) { return p.find("/.build-id") != std::string::npos; });
    if (paths.empty()) {
      files_.skipped = libraries_.skipped = paths_.skipped = "the package has no files";
      return {};
    }
    if (auto end = s_.put({{path_list, 0644, joined(paths)}}); !end)
      return end;
    auto text = std::string{};
    auto result = s_.run({.argv = {"sh", "-c", std::string{listing_script}, "troupe", path_list},
                          .shown = "look at " + std::to_string(paths.size()) + " files",
                          .logged = false},
                         text);
    if (auto end = s_.judge(result, reason::exec_infra, "the listing of files"); !end)
      return end;
    auto listing = read_listing(text, paths.size());
    if (!listing)
      return {reason::exec_infra, 0, one_line(listing.error()), {}};
    using type = listed_file::type;
    for (auto i = size_t{0}; i < paths.size(); ++i) {
      auto& entry = (*listing)[i];
      if (entry.what == type::missing)
        files_.problems.push_back(paths[i] + " does not exist");
      else if (entry.what == type::dangling)
        files_.problems.push_back(paths[i] + " is a dangling symlink to " + entry.target);
      else if (entry.what == type::elf)
        candidates_.push_back(paths[i]);
    }
    s_.say(std::to_string(paths.size()) + " files, " + std::to_string(candidates_.size())
           + " of them binaries");
    return {};
  }

  stage_end check_binaries() {
    for (const auto& path : candidates_)
      if (auto end = read_binary(path); !end)
        return end;
    if (!binaries_.empty())
      return find_missing_libraries(s_, binaries_, libraries_.problems);
    if (libraries_.skipped.empty() && candidates_.empty())
      libraries_.skipped = paths_.skipped = "the package has no binaries";
    return {};
  }

  stage_end read_binary(const std::string& path) {
    if (auto why = s_.over(); why != reason::none)
      return {why, 0, "stopped while it read binaries", {}};
    if (s_.is_stage_over())
      return {reason::stage_timeout, 0, "reading the binaries took too long", {}};
    auto elf = caf::expected<elf_file>{fault(ec::not_found, "vanished")};
    auto whole = true;
    auto why = s_.get(path, s_.options.binary_bytes, [&](const archive_entry& entry) {
      whole = entry.bytes.size() == entry.size;
      elf = read_elf(entry.bytes);
      return false;
    });
    if (why && explain(why).code == ec::unavailable)
      return {reason::env_lost, 0, "cannot read " + path + ": " + one_line(why), {}};
    if (!elf) {
      // Objects and odd files are allowed to be anything; a cut one is left to ldd.
      s_.say(path + ": " + (whole ? one_line(elf.error()) : "too large to be read"));
      if (!whole)
        binaries_.push_back({path, {}});
      return {};
    }
    for (auto* list : {&elf->rpath, &elf->runpath})
      for (const auto& value : *list)
        if (has_empty_element(value))
          paths_.problems.push_back(path + " has " + (list == &elf->rpath ? "RPATH" : "RUNPATH")
                                    + " \"" + value + "\" with an empty element");
    if (!elf->needed.empty())
      binaries_.push_back({path, std::move(*elf)});
    return {};
  }

  stage_end summary() const {
    auto out = tap_writer{4};
    auto note = std::string{};
    auto named = size_t{0};
    auto write = [&](const char* name, const check_result& check) {
      if (!check.problems.empty())
        out.not_ok(name, check.problems);
      else if (!check.skipped.empty())
        out.skip(name, check.skipped);
      else
        out.ok(name);
      for (auto i = size_t{0}; i < check.problems.size(); ++i, ++named)
        if (named < 3)
          note += (named > 0 ? "; " : "") + check.problems[i];
    };
    write("test_package_is_installed", installed_);
    write("test_all_package_files_exist", files_);
    write("test_binaries_have_all_dependencies", libraries_);
    write("test_check_rpath_is_correct", paths_);
    s_.say(out.text());
    auto end = stage_end{};
    end.output = out.text();
    if (named == 0)
      return end;
    if (named > 3)
      note += "; and " + std::to_string(named - 3) + " more";
    end.why = reason::integrity_failed;
    end.exit_code = 1;
    end.note = std::move(note);
    return end;
  }

  package_session& s_;
  package_family& family_;
  std::vector<std::string> candidates_;
  std::vector<binary_file> binaries_;
  check_result installed_;
  check_result files_;
  check_result libraries_;
  check_result paths_;
};

} // namespace

stage_end check_integrity(package_session& s, package_family& family) {
  return integrity_check{s, family}.run();
}

caf::expected<std::vector<listed_file>> read_listing(std::string_view text, size_t paths) {
  using type = listed_file::type;
  constexpr std::pair<std::string_view, type> words[] = {
    {"file", type::file}, {"elf", type::elf},     {"folder", type::folder},
    {"link", type::link}, {"other", type::other}, {"missing", type::missing},
  };
  auto out = std::vector<listed_file>{};
  while (!text.empty()) {
    auto line = take_line(text);
    if (line.starts_with("dangling ")) {
      out.push_back({type::dangling, std::string{line.substr(9)}});
      continue;
    }
    auto known = std::find_if(std::begin(words), std::end(words),
                              [line](const auto& word) { return word.first == line; });
    if (known == std::end(words))
      return fault(ec::corrupt, "the listing of files cannot be understood");
    out.push_back({known->second, {}});
  }
  if (out.size() != paths)
    return fault(ec::corrupt, "the listing of files has " + std::to_string(out.size())
                                + " lines for " + std::to_string(paths) + " files");
  return out;
}

} // namespace troupe
