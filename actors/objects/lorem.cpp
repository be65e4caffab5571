#include "actors/objects/lorem.hpp"

#include <array>
#include <string_view>

namespace troupe {

std::string lorem(std::minstd_rand& chance, size_t count) {
  static constexpr auto words = std::array<std::string_view, 32>{
    "lorem", "ipsum",   "dolor",   "sit",        "amet",    "consectetur",  "adipiscing", "elit",
    "sed",   "eiusmod", "tempor",  "incididunt", "labore",  "dolore",       "magna",      "aliqua",
    "enim",  "minim",   "veniam",  "quis",       "nostrud", "exercitation", "ullamco",    "laboris",
    "nisi",  "aliquip", "commodo", "consequat",  "duis",    "aute",         "irure",      "velit"};
  auto out = std::string{};
  for (auto i = size_t{0}; i < count; ++i) {
    if (i > 0)
      out.push_back(' ');
    out.append(words[chance() / 7 % words.size()]);
  }
  return out;
}

} // namespace troupe
