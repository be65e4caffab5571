#include "bench/raw_store.hpp"

#include "tests/support/temp_folder.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace troupe::bench {

namespace {

using steady = std::chrono::steady_clock;

void check(const rocksdb::Status& status) {
  if (status.ok())
    return;
  std::fprintf(stderr, "raw_store: %s\n", status.ToString().c_str());
  std::exit(1);
}

std::string key(char kind, int64_t x) {
  auto out = std::string(9, kind);
  for (auto i = 0; i < 8; ++i)
    out[8 - i] = static_cast<char>(x >> (8 * i));
  return out;
}

double rate(int64_t n, steady::time_point start) {
  return static_cast<double>(n) / std::chrono::duration<double>(steady::now() - start).count();
}

} // namespace

raw_store_speed measure_raw_store(int64_t n, int batch, int bytes) {
  auto folder = tests::temp_folder{};
  auto options = rocksdb::Options{};
  options.create_if_missing = true;
  auto* raw = static_cast<rocksdb::DB*>(nullptr);
  check(rocksdb::DB::Open(options, folder.path(), &raw));
  auto db = std::unique_ptr<rocksdb::DB>{raw};
  auto how = rocksdb::WriteOptions{};
  how.sync = true;
  auto out = raw_store_speed{};
  auto value = std::string(static_cast<size_t>(bytes), 'p');
  auto start = steady::now();
  for (auto done = int64_t{0}; done < n;) {
    auto changes = rocksdb::WriteBatch{};
    for (auto i = 0; i < batch && done < n; ++i, ++done) {
      changes.Put(key('e', done), value);
      // Ids come in no order; a multiplier scatters them.
      changes.Put(key('i', static_cast<int64_t>(static_cast<uint64_t>(done) * 0x9E3779B97F4A7C15U))
                    + "0197a1b2-c3d4-7/queued",
                  "12345678");
    }
    check(db->Write(how, &changes));
  }
  out.writes_per_s = rate(n, start);
  start = steady::now();
  auto read = int64_t{0};
  auto i = std::unique_ptr<rocksdb::Iterator>{db->NewIterator({})};
  auto copy = std::string{};
  for (i->Seek("e"); i->Valid() && i->key()[0] == 'e'; i->Next(), ++read)
    copy = i->value().ToString();
  out.reads_per_s = rate(read, start);
  return out;
}

} // namespace troupe::bench
