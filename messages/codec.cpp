#include "messages/codec.hpp"

#include <algorithm>

namespace troupe {

void encoder::insert_length(size_t at) {
  auto length = out_.size() - at;
  auto prefix = std::string{};
  encoder{prefix}.number(length);
  out_.insert(at, prefix);
}

uint64_t decoder::number() {
  auto x = uint64_t{0};
  for (auto shift = 0U; shift < 64; shift += 7) {
    auto byte = take(1);
    if (byte.empty())
      return 0;
    auto bits = static_cast<uint8_t>(byte[0]);
    x |= static_cast<uint64_t>(bits & 0x7F) << shift;
    if ((bits & 0x80) == 0)
      return x;
  }
  ok_ = false;
  return 0;
}

std::string_view decoder::take(uint64_t n) {
  if (!ok_ || n > in_.size()) {
    ok_ = false;
    in_ = {};
    return {};
  }
  auto out = in_.substr(0, n);
  in_.remove_prefix(n);
  return out;
}

void decoder::compound(job_id& x) {
  auto bytes = take(x.bytes.size());
  if (ok_)
    std::copy_n(reinterpret_cast<const uint8_t*>(bytes.data()), x.bytes.size(), x.bytes.begin());
}

uint64_t decoder::fixed() {
  auto bytes = take(8);
  auto x = uint64_t{0};
  for (auto i = size_t{0}; i < bytes.size(); ++i)
    x |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  return x;
}

std::string_view packed_kind(std::string_view bytes) {
  auto in = decoder{bytes};
  return in.take(in.number());
}

} // namespace troupe
