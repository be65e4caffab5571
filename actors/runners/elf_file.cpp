#include "actors/runners/elf_file.hpp"

#include <optional>

namespace troupe {

namespace {

constexpr auto most_entries = uint64_t{65536};
constexpr auto most_library_names = size_t{4096};
constexpr auto longest_name = uint64_t{4096};

enum : uint64_t { pt_load = 1, pt_dynamic = 2 };
enum : uint64_t {
  dt_null = 0,
  dt_needed = 1,
  dt_strtab = 5,
  dt_strsz = 10,
  dt_rpath = 15,
  dt_runpath = 29
};

/// A part of the file that is loaded at an address.
struct segment {
  uint64_t type = 0;
  uint64_t offset = 0;
  uint64_t address = 0;
  uint64_t size = 0;
};

/// Reads numbers in the file's own width and byte order; nothing is ever read
/// beyond the end.
class elf_reader {
public:
  explicit elf_reader(std::string_view bytes) : bytes_{bytes} {}

  caf::expected<elf_file> read() {
    if (!has_elf_magic(bytes_) || bytes_.size() < 20)
      return fault(ec::invalid_argument, "is not an ELF file");
    auto width = bytes_[4];
    auto order = bytes_[5];
    if ((width != 1 && width != 2) || (order != 1 && order != 2))
      return fault(ec::corrupt, "has an unknown ELF class");
    out_.wide = width == 2;
    out_.big_endian = order == 2;
    out_.machine = static_cast<uint16_t>(number(18, 2));
    read_segments();
    for (const auto& part : segments_)
      if (part.type == pt_dynamic)
        read_dynamic(part);
    if (!ok_)
      return fault(ec::corrupt, "is a damaged ELF file");
    return std::move(out_);
  }

private:
  uint64_t number(uint64_t at, unsigned width) {
    if (at > bytes_.size() || bytes_.size() - at < width) {
      ok_ = false;
      return 0;
    }
    auto x = uint64_t{0};
    for (auto i = 0u; i < width; ++i) {
      auto byte = static_cast<unsigned char>(bytes_[at + (out_.big_endian ? i : width - 1 - i)]);
      x = x << 8 | byte;
    }
    return x;
  }

  /// A number as wide as an address.
  uint64_t word(uint64_t at) {
    return number(at, out_.wide ? 8 : 4);
  }

  void read_segments() {
    auto at = word(out_.wide ? 32 : 28);
    auto entry_size = number(out_.wide ? 54 : 42, 2);
    auto count = number(out_.wide ? 56 : 44, 2);
    if (count > 0 && entry_size < (out_.wide ? 56u : 32u))
      ok_ = false;
    for (; ok_ && count > 0; --count, at += entry_size) {
      auto part = segment{};
      part.type = number(at, 4);
      part.offset = word(at + (out_.wide ? 8 : 4));
      part.address = word(at + (out_.wide ? 16 : 8));
      part.size = word(at + (out_.wide ? 32 : 16));
      segments_.push_back(part);
    }
  }

  void read_dynamic(const segment& part) {
    // Debug files keep the header and leave the content out.
    if (part.size == 0)
      return;
    out_.dynamic = true;
    auto width = out_.wide ? uint64_t{8} : uint64_t{4};
    auto count = std::min(part.size / (2 * width), most_entries);
    auto names = std::vector<std::pair<uint64_t, uint64_t>>{};
    auto table = std::optional<uint64_t>{};
    auto table_size = uint64_t{0};
    for (auto i = uint64_t{0}; ok_ && i < count; ++i) {
      auto at = part.offset + i * 2 * width;
      auto tag = word(at);
      auto value = word(at + width);
      if (tag == dt_null)
        break;
      if (tag == dt_strtab)
        table = value;
      else if (tag == dt_strsz)
        table_size = value;
      else if ((tag == dt_needed || tag == dt_rpath || tag == dt_runpath)
               && names.size() < most_library_names)
        names.emplace_back(tag, value);
    }
    if (names.empty())
      return;
    auto start = table ? file_offset(*table) : std::nullopt;
    if (!start || *start > bytes_.size()) {
      ok_ = false;
      return;
    }
    auto strings = bytes_.substr(*start, table_size);
    for (auto [tag, offset] : names) {
      auto& list = tag == dt_needed ? out_.needed : tag == dt_rpath ? out_.rpath : out_.runpath;
      list.push_back(name_at(strings, offset));
    }
  }

  std::optional<uint64_t> file_offset(uint64_t address) const {
    for (const auto& part : segments_)
      if (part.type == pt_load && address >= part.address && address - part.address < part.size)
        return part.offset + (address - part.address);
    return std::nullopt;
  }

  std::string name_at(std::string_view strings, uint64_t offset) {
    if (offset >= strings.size()) {
      ok_ = false;
      return {};
    }
    auto text = strings.substr(offset, longest_name);
    auto end = text.find('\0');
    if (end == std::string_view::npos)
      ok_ = false;
    return std::string{text.substr(0, end)};
  }

  std::string_view bytes_;
  std::vector<segment> segments_;
  elf_file out_;
  bool ok_ = true;
};

} // namespace

bool has_elf_magic(std::string_view bytes) {
  return bytes.starts_with("\177ELF");
}

caf::expected<elf_file> read_elf(std::string_view bytes) {
  return elf_reader{bytes}.read();
}

bool has_empty_element(std::string_view search_path) {
  return search_path.starts_with(':') || search_path.ends_with(':')
         || search_path.find("::") != std::string_view::npos;
}

} // namespace troupe
