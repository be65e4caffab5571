#include "bridges/http/pages/pages.hpp"

#include <array>

// The assembler takes the compressed files in as they are; TROUPE_PAGES names their folder.
#define TROUPE_EMBED(symbol, file)                                                                 \
  asm(".section .rodata\n"                                                                         \
      ".global troupe_page_" #symbol "\n"                                                          \
      "troupe_page_" #symbol ":\n"                                                                 \
      ".incbin \"" TROUPE_PAGES "/" file "\"\n"                                                    \
      ".global troupe_page_" #symbol "_end\n"                                                      \
      "troupe_page_" #symbol "_end:\n"                                                             \
      ".byte 0\n"                                                                                  \
      ".previous\n");                                                                              \
  extern "C" const char troupe_page_##symbol[];                                                    \
  extern "C" const char troupe_page_##symbol##_end[];

TROUPE_EMBED(index, "index.html.gz")
TROUPE_EMBED(docs, "docs.html.gz")
TROUPE_EMBED(start, "start.js.gz")
TROUPE_EMBED(style, "swagger-ui.css.gz")
TROUPE_EMBED(bundle, "swagger-ui-bundle.js.gz")

#undef TROUPE_EMBED

namespace troupe {

namespace {

std::string_view between(const char* first, const char* end) {
  return {first, static_cast<size_t>(end - first)};
}

} // namespace

const embedded_page* find_page(std::string_view path) {
  static const auto pages = std::array{
    embedded_page{"/", "text/html; charset=utf-8",
                  between(troupe_page_index, troupe_page_index_end)},
    embedded_page{"/docs", "text/html; charset=utf-8",
                  between(troupe_page_docs, troupe_page_docs_end)},
    embedded_page{"/docs/start.js", "text/javascript; charset=utf-8",
                  between(troupe_page_start, troupe_page_start_end)},
    embedded_page{"/docs/swagger-ui.css", "text/css; charset=utf-8",
                  between(troupe_page_style, troupe_page_style_end)},
    embedded_page{"/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8",
                  between(troupe_page_bundle, troupe_page_bundle_end)},
  };
  for (const auto& page : pages)
    if (page.path == path)
      return &page;
  return nullptr;
}

} // namespace troupe
