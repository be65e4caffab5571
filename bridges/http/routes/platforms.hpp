#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The distributions and architectures that can be tested. Source: spec/testing.md 1.1, 1.4.
namespace troupe {

/// Whether packages of this distribution can be tested: "debian", "almalinux", ...
bool is_known_distribution(std::string_view name);

/// Whether its packages are deb packages.
bool uses_apt(std::string_view distribution);

/// Returns the architecture of the host that runs `arch` ("i686" -> "x86_64"); none if unknown.
std::optional<std::string_view> host_architecture(std::string_view arch);

/// Returns the names of a list for a message.
std::string known_distributions();
std::string known_architectures();

} // namespace troupe
