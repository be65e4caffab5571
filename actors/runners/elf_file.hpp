#pragma once

#include "messages/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What the dynamic section of an ELF file says. Source: System V ABI, chapter 5.
struct elf_file {
  bool wide = false; ///< 64-bit.
  bool big_endian = false;
  uint16_t machine = 0; ///< e_machine.
  bool dynamic = false; ///< It has a dynamic section: libraries are loaded at run time.
  std::vector<std::string> needed;
  std::vector<std::string> rpath; ///< Raw values: lists of folders, separated by ':'.
  std::vector<std::string> runpath;
};

/// True if the bytes begin as every ELF file does.
bool has_elf_magic(std::string_view bytes);

/// Reads an ELF file of either width and byte order; the bytes may be hostile.
/// Errors: `ec::invalid_argument` (no ELF file), `ec::corrupt` (it contradicts
/// itself, or its end is missing).
caf::expected<elf_file> read_elf(std::string_view bytes);

/// True if a search path has an empty element (at the start, the end or between
/// two ':'), which the loader takes for the current folder.
bool has_empty_element(std::string_view search_path);

} // namespace troupe
