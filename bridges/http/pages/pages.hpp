#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// One file of the built-in pages, compressed with gzip when the program is built.
struct embedded_page {
  std::string_view path; ///< "/docs/swagger-ui.css"
  std::string_view content_type;
  std::string_view gzip; ///< The compressed bytes; they live as long as the program.
};

/// Returns the page at a path, null if there is none. Threads: any.
const embedded_page* find_page(std::string_view path);

/// Returns the page as it was before compression; it is kept from the first
/// call on. Threads: any.
const std::string& plain_page(const embedded_page& page);

} // namespace troupe
