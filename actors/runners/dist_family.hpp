#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// How a distribution manages packages.
enum class dist_family : uint8_t { deb, rpm };

/// Returns the family of a distribution by its lower-case name. Source: spec/testing.md 1.1.
std::optional<dist_family> family_of(std::string_view dist_name);

/// Returns dpkg's name of an architecture ("x86_64" -> "amd64"); unknown ones stay.
std::string deb_arch(std::string_view arch);

/// Returns "9" of "9.4"; "" if the version does not start with a digit.
std::string major_version(std::string_view dist_version);

/// True if packages of this rpm distribution are managed by dnf, else by yum.
bool has_dnf(std::string_view dist_name, std::string_view dist_version);

} // namespace troupe
