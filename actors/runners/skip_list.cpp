#include "actors/runners/skip_list.hpp"

#include "actors/runners/dist_family.hpp"
#include "messages/json.hpp"

#include <fnmatch.h>

#include <fstream>
#include <iterator>

namespace troupe {

namespace {

/// The words of the original's list and the stages that they stand for.
constexpr std::pair<std::string_view, std::string_view> method_stages[] = {
  {"install_package", "install_package"},
  {"run_package_integrity_tests", "tests.package_integrity_tests"},
  {"run_third_party_tests", "third_party.*"},
  {"uninstall_package", "uninstall_package"},
};

bool matches(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool applies(const skip_entry& rule, const skip_subject& what, caf::timestamp at) {
  return (rule.expires == caf::timestamp{} || at < rule.expires)
         && matches(rule.package, what.package) && matches(rule.arch, what.arch)
         && (matches(rule.dist, what.dist_name)
             || matches(rule.dist, what.dist_name + '-' + what.dist_version)
             || matches(rule.dist, what.dist_name + '-' + major_version(what.dist_version)));
}

/// Returns `text` as a pattern that matches nothing else.
std::string escaped(std::string_view text) {
  auto out = std::string{};
  for (auto c : text) {
    if (std::string_view{"*?[]\\"}.find(c) != std::string_view::npos)
      out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

void read_methods(json_reader& in, const json& methods, skip_entry rule, const std::string& place,
                  std::vector<skip_entry>& out) {
  auto words = std::vector<std::string>{};
  in.read(methods, words, place, {.max_size = 64});
  for (const auto& word : words)
    for (auto [method, stage] : method_stages)
      if (word == method)
        rule.stages.emplace_back(stage);
  // A list of words that mean nothing here must not take out the whole package.
  if (!rule.stages.empty())
    out.push_back(std::move(rule));
}

} // namespace

caf::expected<skip_list> skip_list::from_text(std::string_view text) {
  auto doc = parse_json_text(text);
  if (!doc)
    return std::move(doc.error());
  auto list = skip_list{};
  auto in = json_reader{};
  if (doc->is_object()) {
    for (const auto& [dist, packages] : doc->items()) {
      if (!packages.is_object()) {
        in.complain(dist, "must be an object");
        continue;
      }
      for (const auto& [package, methods] : packages.items()) {
        auto rule = skip_entry{};
        rule.dist = escaped(dist);
        rule.package = escaped(package) + '*';
        rule.reason = "on the skip list";
        read_methods(in, methods, std::move(rule), dist + '.' + package, list.entries_);
      }
    }
  } else {
    in.read(*doc, list.entries_, "", {.max_size = 100'000});
  }
  if (!in.faults.empty())
    return to_error(in.faults);
  return list;
}

caf::expected<skip_list> skip_list::from_file(const std::string& path) {
  auto in = std::ifstream{path, std::ios::binary};
  auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
  if (!in.is_open() || in.bad())
    return fault_at(ec::not_found, path, "cannot be read");
  return from_text(text);
}

const skip_entry* skip_list::rejects(const skip_subject& what, caf::timestamp at) const {
  for (const auto& rule : entries_)
    if (rule.stages.empty() && applies(rule, what, at))
      return &rule;
  return nullptr;
}

const skip_entry* skip_list::skips(const skip_subject& what, std::string_view stage,
                                   caf::timestamp at) const {
  for (const auto& rule : entries_)
    if (applies(rule, what, at))
      for (const auto& pattern : rule.stages)
        if (matches(pattern, std::string{stage}))
          return &rule;
  return nullptr;
}

} // namespace troupe
