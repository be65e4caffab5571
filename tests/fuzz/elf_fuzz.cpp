#include "actors/runners/elf_file.hpp"
#include "actors/runners/library_search.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  auto text = std::string_view{reinterpret_cast<const char*>(bytes), size};
  if (auto elf = troupe::read_elf(text))
    for (const auto& path : elf->runpath)
      troupe::has_empty_element(path);
  troupe::read_loader_cache(text);
  return 0;
}
