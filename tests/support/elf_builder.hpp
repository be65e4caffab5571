#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace troupe::tests {

/// Builds the least ELF file that has a dynamic section.
struct elf_builder {
  bool wide = true;
  bool big_endian = false;
  std::vector<std::pair<uint64_t, std::string>>
    names; ///< Tag (1 NEEDED, 15 RPATH, 29 RUNPATH) and text.

  std::string build() const {
    const auto word = wide ? 8u : 4u;
    const auto head_size = uint64_t{wide ? 64u : 52u};
    const auto entry_size = uint64_t{wide ? 56u : 32u};
    const auto dynamic_at = head_size + 2 * entry_size;
    const auto dynamic_size = (names.size() + 3) * 2 * word;
    const auto strings_at = dynamic_at + dynamic_size;
    constexpr auto address = uint64_t{0x10000};
    auto strings = std::string(1, '\0');
    auto dynamic = std::string{};
    for (const auto& [tag, text] : names) {
      dynamic += number(tag, word) + number(strings.size(), word);
      strings += text + '\0';
    }
    dynamic += number(5, word) + number(address + strings_at, word);
    dynamic += number(10, word) + number(strings.size(), word);
    dynamic += number(0, word) + number(0, word);
    auto out = std::string{"\177ELF"};
    out += static_cast<char>(wide ? 2 : 1);
    out += static_cast<char>(big_endian ? 2 : 1);
    out += std::string(10, '\0');
    out += number(3, 2) + number(62, 2) + number(1, 4) + number(0, word) + number(head_size, word);
    out +=
      number(0, word) + number(0, 4) + number(head_size, 2) + number(entry_size, 2) + number(2, 2);
    out.resize(head_size);
    out += header(1, 0, address, strings_at + strings.size());
    out += header(2, dynamic_at, address + dynamic_at, dynamic_size);
    return out + dynamic + strings;
  }

private:
  std::string number(uint64_t x, unsigned width) const {
    auto out = std::string{};
    for (auto i = 0u; i < width; ++i)
      out += static_cast<char>(x >> (8 * (big_endian ? width - 1 - i : i)));
    return out;
  }

  std::string header(uint64_t type, uint64_t offset, uint64_t address, uint64_t size) const {
    if (wide)
      return number(type, 4) + number(4, 4) + number(offset, 8) + number(address, 8)
             + number(address, 8) + number(size, 8) + number(size, 8) + number(8, 8);
    return number(type, 4) + number(offset, 4) + number(address, 4) + number(address, 4)
           + number(size, 4) + number(size, 4) + number(4, 4) + number(4, 4);
  }
};

} // namespace troupe::tests
