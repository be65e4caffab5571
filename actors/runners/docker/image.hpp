#pragma once

#include "actors/runners/docker/engine_client.hpp"
#include "messages/test.hpp"

#include <map>
#include <string>

namespace troupe {

/// When an image is pulled. Images under "localhost/" never are.
enum class image_policy : uint8_t { missing, always, never };
template <>
inline constexpr auto enum_names<image_policy> =
  std::array<std::string_view, 3>{"missing", "always", "never"};

/// Which image stands for which distribution. Source: spec/testing.md 5.3.
struct image_options {
  image_policy policy = image_policy::missing;
  std::chrono::milliseconds pull_limit{std::chrono::minutes{15}};
  std::string pattern = "{dist_name}:{dist_version}"; ///< For what `images` does not name.
  std::map<std::string, std::string> images;          ///< "almalinux-9-x86_64" -> reference.
};

/// Returns the image for a test.
std::string image_for(const image_options& options, const test_spec& spec);

/// Returns the engine's name of an architecture as tests ask for it ("i686" -> "386"), "" if
/// unknown.
std::string_view engine_arch(std::string_view dist_arch);

/// Splits a reference for a pull: "almalinux:9" -> {"almalinux", "9"}; a digest stays
/// with its name, a missing tag is "latest".
std::pair<std::string, std::string> split_reference(std::string_view reference);

/// Makes sure that the image is there and fits the architecture. Errors:
/// `ec::not_found` (absent and not pulled), `ec::unsupported` (another
/// architecture), `ec::unavailable`, `ec::timeout`, `ec::canceled`.
caf::error ensure_image(engine_client& engine, const image_options& options,
                        const std::string& reference, std::string_view dist_arch,
                        std::stop_token stop);

} // namespace troupe
