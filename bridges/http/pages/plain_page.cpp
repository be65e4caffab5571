#include "bridges/http/pages/pages.hpp"

#include <zlib.h>

#include <array>
#include <map>
#include <mutex>
#include <stdexcept>

namespace troupe {

namespace {

std::string inflate_page(std::string_view in) {
  auto stream = z_stream{};
  if (::inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
    throw std::runtime_error{"no memory to unpack a page"};
  // zlib does not write there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  auto out = std::string{};
  auto piece = std::array<char, 64 << 10>{};
  auto state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = ::inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  if (state != Z_STREAM_END)
    throw std::runtime_error{"a page that is part of this program is damaged"};
  return out;
}

} // namespace

const std::string& plain_page(const embedded_page& page) {
  static auto mutex = std::mutex{};
  static auto plain = std::map<std::string_view, std::string>{};
  auto lock = std::lock_guard{mutex};
  auto i = plain.find(page.path);
  if (i == plain.end())
    i = plain.emplace(page.path, inflate_page(page.gzip)).first;
  return i->second;
}

} // namespace troupe
