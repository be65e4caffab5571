#include "actors/runners/dist_family.hpp"

#include <algorithm>
#include <array>

namespace troupe {

namespace {

struct named_family {
  std::string_view name;
  dist_family family;
};

constexpr auto families = std::array{
  named_family{"debian", dist_family::deb},    named_family{"ubuntu", dist_family::deb},
  named_family{"raspbian", dist_family::deb},  named_family{"rhel", dist_family::rpm},
  named_family{"fedora", dist_family::rpm},    named_family{"centos", dist_family::rpm},
  named_family{"almalinux", dist_family::rpm},
};

struct named_arch {
  std::string_view name;
  std::string_view deb;
};

constexpr auto arches = std::array{
  named_arch{"x86_64", "amd64"},  named_arch{"x86_64_v2", "amd64"}, named_arch{"i386", "i386"},
  named_arch{"i486", "i386"},     named_arch{"i586", "i386"},       named_arch{"i686", "i386"},
  named_arch{"aarch64", "arm64"}, named_arch{"ppc64le", "ppc64el"},
};

} // namespace

std::optional<dist_family> family_of(std::string_view dist_name) {
  for (const auto& known : families)
    if (known.name == dist_name)
      return known.family;
  return std::nullopt;
}

std::string deb_arch(std::string_view arch) {
  for (const auto& known : arches)
    if (known.name == arch)
      return std::string{known.deb};
  return std::string{arch};
}

std::string major_version(std::string_view dist_version) {
  auto end = std::find_if(dist_version.begin(), dist_version.end(),
                          [](char c) { return c < '0' || c > '9'; });
  return {dist_version.begin(), end};
}

bool has_dnf(std::string_view dist_name, std::string_view dist_version) {
  if (dist_name == "fedora")
    return true;
  auto major = major_version(dist_version);
  return major.empty() || std::stoul(major.substr(0, 4)) >= 8;
}

} // namespace troupe
