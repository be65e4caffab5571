#include "actors/artifacts/packed_file.hpp"

#include "actors/artifacts/artifact_folder.hpp"

#include <openssl/evp.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>

namespace troupe {

namespace {

constexpr auto gzip_window = 15 + 16; // zlib: 32 KiB window, gzip framing
constexpr auto extra_limit = size_t{65535};
constexpr auto marker_size = uint64_t{64};
// After the index: its length (4 bytes, part of the extra field), an empty deflate block, CRC,
// size.
constexpr auto tail_size = uint64_t{14};
constexpr auto extra_head = size_t{4};

/// Returns the line that stands for what was cut, always of the same size.
std::string marker_for(uint64_t missing) {
  auto text = "[ " + std::to_string(missing) + " bytes were left out here ]";
  auto room = marker_size - 2 - text.size();
  return '\n' + std::string(room / 2, '-') + text + std::string(room - room / 2, '-') + '\n';
}

void put_le(std::string& out, uint64_t x, int n) {
  for (auto i = 0; i < n; ++i)
    out.push_back(static_cast<char>(x >> (8 * i)));
}

uint32_t get_le32(const char* from) {
  auto out = uint32_t{0};
  for (auto i = 0; i < 4; ++i)
    out |= static_cast<uint32_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  return out;
}

/// Cuts the content into blocks, compresses and hashes them.
class packer {
public:
  explicit packer(int out) : out_{out}, digest_{EVP_MD_CTX_new(), EVP_MD_CTX_free} {
    EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr);
    // Level 1: logs shrink to a tenth anyway, and a runner waits for the answer.
    deflateInit2(&stream_, 1, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY);
    packed_.resize(deflateBound(&stream_, packed_block_size));
  }
  ~packer() {
    deflateEnd(&stream_);
  }
  packer(const packer&) = delete;
  packer& operator=(const packer&) = delete;

  caf::error add(std::string_view bytes) {
    EVP_DigestUpdate(digest_.get(), bytes.data(), bytes.size());
    index.length += bytes.size();
    while (!bytes.empty()) {
      auto n = std::min<uint64_t>(packed_block_size - block_.size(), bytes.size());
      block_.append(bytes.substr(0, n));
      bytes.remove_prefix(n);
      if (block_.size() == packed_block_size)
        if (auto fault = flush())
          return fault;
    }
    return {};
  }

  caf::error finish() {
    if (auto fault = flush())
      return fault;
    auto hash = std::array<unsigned char, 32>{};
    EVP_DigestFinal_ex(digest_.get(), hash.data(), nullptr);
    index.sha256.assign(hash.begin(), hash.end());
    auto member = index_member();
    if (!member)
      return std::move(member.error());
    if (auto fault = write_at(out_, index.stored, *member))
      return fault;
    index.stored += member->size();
    if (fdatasync(out_) != 0)
      return file_fault("sync");
    return {};
  }

  packed_index index;

private:
  caf::error flush() {
    if (block_.empty())
      return {};
    deflateReset(&stream_);
    stream_.next_in = reinterpret_cast<Bytef*>(block_.data());
    stream_.avail_in = static_cast<uInt>(block_.size());
    stream_.next_out = reinterpret_cast<Bytef*>(packed_.data());
    stream_.avail_out = static_cast<uInt>(packed_.size());
    if (deflate(&stream_, Z_FINISH) != Z_STREAM_END)
      return fault(ec::unavailable, "compression failed");
    auto size = packed_.size() - stream_.avail_out;
    if (auto fault = write_at(out_, index.stored, {packed_.data(), size}))
      return fault;
    index.stored += size;
    index.blocks.push_back(static_cast<uint32_t>(size));
    block_.clear();
    return {};
  }

  caf::expected<std::string> index_member() const {
    auto body = encode(index);
    auto extra = extra_head + body.size() + 4;
    if (extra > extra_limit)
      return fault(ec::too_large, "artifact has too many blocks");
    // ID1 ID2 CM FLG(FEXTRA) MTIME XFL OS
    auto out = std::string{"\x1f\x8b\x08\x04\0\0\0\0\0\xff", 10};
    put_le(out, extra, 2);
    out += "TR";
    put_le(out, body.size() + 4, 2);
    out += body;
    put_le(out, body.size(), 4);
    out.append("\x03\0", 2);
    put_le(out, 0, 8);
    return out;
  }

  int out_;
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest_;
  z_stream stream_{};
  std::string block_;
  std::string packed_;
};

caf::error add_range(packer& to, const spool& from, uint64_t begin, uint64_t end) {
  while (begin < end) {
    auto bytes = from.read(begin, std::min(packed_block_size, end - begin));
    if (!bytes)
      return std::move(bytes.error());
    begin += bytes->size();
    if (auto fault = to.add(*bytes))
      return fault;
  }
  return {};
}

} // namespace

artifact_ref packed_index::describe(std::string name) const {
  auto out = artifact_ref{};
  out.name = std::move(name);
  out.length = length;
  out.stored = stored;
  out.truncated = truncated;
  for (auto byte : sha256) {
    constexpr auto digits = "0123456789abcdef";
    out.sha256 += digits[static_cast<unsigned char>(byte) >> 4];
    out.sha256 += digits[static_cast<unsigned char>(byte) & 0xF];
  }
  return out;
}

caf::expected<packed_index> pack_spool(const spool& from, int out) {
  auto to = packer{out};
  auto& index = to.index;
  index.truncated = from.is_cut();
  index.cut_begin = from.cut_begin();
  auto fault = add_range(to, from, 0, index.cut_begin);
  index.resume = from.cut_end();
  if (!fault && index.truncated) {
    // The marker takes offsets of the cut, so what follows keeps its own.
    auto tail = std::max(from.cut_end(), index.cut_begin + marker_size);
    index.resume = tail - marker_size;
    fault = to.add(marker_for(tail - index.cut_begin));
    if (!fault)
      fault = add_range(to, from, tail, from.end());
  }
  if (!fault)
    fault = to.finish();
  if (fault)
    return fault;
  return std::move(index);
}

caf::expected<packed_index> read_packed_index(int file) {
  struct stat about {};
  if (fstat(file, &about) != 0)
    return file_fault("stat");
  auto size = static_cast<uint64_t>(about.st_size);
  char tail[tail_size];
  if (size < tail_size)
    return fault(ec::corrupt, "packed file is too short");
  if (auto fault = read_at(file, size - tail_size, tail, tail_size))
    return fault;
  auto length = uint64_t{get_le32(tail)};
  if (length > extra_limit || size < tail_size + length)
    return fault(ec::corrupt, "packed file has no index");
  auto body = std::string(length, '\0');
  if (auto fault = read_at(file, size - tail_size - length, body.data(), length))
    return fault;
  auto index = decode<packed_index>(body);
  if (!index)
    return std::move(index.error());
  auto blocks = std::accumulate(index->blocks.begin(), index->blocks.end(), uint64_t{0});
  if (blocks > size || index->cut_begin > index->length || index->resume < index->cut_begin
      || index->blocks.size() != (index->length + packed_block_size - 1) / packed_block_size)
    return fault(ec::corrupt, "index of a packed file contradicts itself");
  index->stored = size;
  return index;
}

caf::expected<std::string> read_packed_block(int file, const packed_index& index, size_t block) {
  if (block >= index.blocks.size())
    return fault(ec::corrupt, "no such block");
  auto begin = index.blocks.begin();
  auto place = std::accumulate(begin, begin + static_cast<ptrdiff_t>(block), uint64_t{0});
  auto packed = std::string(index.blocks[block], '\0');
  if (auto fault = read_at(file, place, packed.data(), packed.size()))
    return fault;
  auto size = std::min(packed_block_size, index.length - block * packed_block_size);
  auto out = std::string(size, '\0');
  auto stream = z_stream{};
  if (inflateInit2(&stream, gzip_window) != Z_OK)
    return fault(ec::unavailable, "no memory to decompress");
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  auto ended = inflate(&stream, Z_FINISH);
  auto left = stream.avail_out;
  inflateEnd(&stream);
  if (ended != Z_STREAM_END || left != 0)
    return fault(ec::corrupt, "block " + std::to_string(block) + " does not check out");
  return out;
}

} // namespace troupe
