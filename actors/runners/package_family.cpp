#include "actors/runners/package_family.hpp"

namespace troupe {

caf::expected<std::unique_ptr<package_family>> make_package_family(const test_spec& spec) {
  auto family = family_of(spec.dist_name);
  if (!family)
    return fault_at(ec::unsupported, "dist_name",
                    "is not a distribution that packages are tested on");
  return *family == dist_family::deb ? make_deb_family(spec) : make_rpm_family(spec);
}

std::vector<std::string> paths_in(std::string_view text) {
  auto out = std::vector<std::string>{};
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    // dpkg lists the root as "/." and speaks of diversions in sentences.
    if (line.size() > 1 && line[0] == '/' && line != "/.")
      out.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::vector<std::string> words_in(std::string_view line) {
  auto out = std::vector<std::string>{};
  while (true) {
    auto start = line.find_first_not_of(' ');
    if (start == std::string_view::npos)
      return out;
    line.remove_prefix(start);
    auto end = std::min(line.find(' '), line.size());
    out.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

} // namespace troupe
