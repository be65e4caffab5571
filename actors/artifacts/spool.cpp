#include "actors/artifacts/spool.hpp"

#include "actors/artifacts/artifact_folder.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace troupe {

namespace {

constexpr auto header_size = uint64_t{4096};
constexpr auto magic = uint64_t{0x314C4F4F50535254}; // "TRSPOOL1", little-endian

using header = std::array<uint64_t, 4>;
static_assert(sizeof(header) == spool::least_size);

} // namespace

caf::expected<spool> spool::create(owned_fd file, bool is_log, const spool_limits& limits) {
  auto out = spool{};
  out.file_ = std::move(file);
  out.shape_.head = is_log ? limits.log_head : limits.artifact;
  out.shape_.tail = is_log ? limits.log_tail : 0;
  if (auto fault = out.save())
    return fault;
  return out;
}

caf::expected<spool> spool::reopen(owned_fd file) {
  auto words = header{};
  if (auto fault = read_at(file.get(), 0, reinterpret_cast<char*>(words.data()), sizeof words))
    return fault;
  if (words[0] != magic)
    return fault(ec::corrupt, "spool without its mark");
  auto out = spool{};
  out.file_ = std::move(file);
  out.shape_ = {words[1], words[2], words[3]};
  return out;
}

caf::expected<uint64_t> spool::write(uint64_t offset, std::string_view bytes) {
  if (offset > shape_.end)
    return fault(ec::conflict, "bytes " + std::to_string(shape_.end) + " to "
                                 + std::to_string(offset) + " are missing");
  auto repeated = std::min<uint64_t>(shape_.end - offset, bytes.size());
  bytes.remove_prefix(repeated);
  if (bytes.empty())
    return shape_.end;
  if (shape_.tail == 0 && shape_.end + bytes.size() > shape_.head)
    return fault(ec::too_large,
                 "artifact is larger than " + std::to_string(shape_.head) + " bytes");
  auto at = size_t{0};
  auto fault = pieces(shape_.end, bytes.size(), [&](uint64_t place, uint64_t n) {
    auto piece = bytes.substr(at, n);
    at += n;
    return write_at(file_.get(), place, piece);
  });
  if (fault)
    return fault;
  // The header comes last: after a crash of the process it never promises bytes that are not there.
  shape_.end += bytes.size();
  if (auto late = save()) {
    shape_.end -= bytes.size();
    return late;
  }
  return shape_.end;
}

caf::expected<std::string> spool::read(uint64_t from, uint64_t n) const {
  auto limit = from < cut_begin() ? cut_begin() : shape_.end;
  n = from < limit ? std::min(n, limit - from) : 0;
  auto out = std::string(n, '\0');
  auto at = out.data();
  auto fault = pieces(from, n, [&](uint64_t place, uint64_t size) {
    auto to = at;
    at += size;
    return read_at(file_.get(), place, to, size);
  });
  if (fault)
    return fault;
  return out;
}

caf::error spool::save() const {
  auto words = header{magic, shape_.head, shape_.tail, shape_.end};
  return write_at(file_.get(), 0, {reinterpret_cast<const char*>(words.data()), sizeof words});
}

caf::error spool::pieces(uint64_t from, uint64_t n,
                         const std::function<caf::error(uint64_t, uint64_t)>& f) const {
  while (n > 0) {
    auto place = from;
    auto room = shape_.head - std::min(from, shape_.head);
    if (room == 0) {
      auto turn = (from - shape_.head) % shape_.tail;
      place = shape_.head + turn;
      room = shape_.tail - turn;
    }
    auto size = std::min(n, room);
    if (auto fault = f(header_size + place, size))
      return fault;
    from += size;
    n -= size;
  }
  return {};
}

} // namespace troupe
