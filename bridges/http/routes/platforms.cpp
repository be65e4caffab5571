#include "bridges/http/routes/platforms.hpp"

#include <algorithm>
#include <array>

namespace troupe {

namespace {

constexpr auto distributions = std::array<std::string_view, 7>{
  "rhel", "fedora", "centos", "almalinux", "debian", "ubuntu", "raspbian"};

struct arch_row {
  std::string_view asked;
  std::string_view host;
};

constexpr auto architectures = std::array{
  arch_row{"i386", "x86_64"},     arch_row{"i486", "x86_64"},   arch_row{"i586", "x86_64"},
  arch_row{"i686", "x86_64"},     arch_row{"x86_64", "x86_64"}, arch_row{"x86_64_v2", "x86_64_v2"},
  arch_row{"amd64", "x86_64"},    arch_row{"arm64", "aarch64"}, arch_row{"aarch64", "aarch64"},
  arch_row{"ppc64le", "ppc64le"}, arch_row{"s390x", "s390x"},
};

} // namespace

bool is_known_distribution(std::string_view name) {
  return std::find(distributions.begin(), distributions.end(), name) != distributions.end();
}

bool uses_apt(std::string_view distribution) {
  return distribution == "debian" || distribution == "ubuntu" || distribution == "raspbian";
}

std::optional<std::string_view> host_architecture(std::string_view arch) {
  for (const auto& row : architectures)
    if (row.asked == arch)
      return row.host;
  return std::nullopt;
}

std::string known_distributions() {
  auto out = std::string{};
  for (auto name : distributions)
    out += (out.empty() ? "" : ", ") + std::string{name};
  return out;
}

std::string known_architectures() {
  auto out = std::string{};
  for (const auto& row : architectures)
    out += (out.empty() ? "" : ", ") + std::string{row.asked};
  return out;
}

} // namespace troupe
