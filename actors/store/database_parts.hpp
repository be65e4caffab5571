#pragma once

#include "actors/store/database.hpp"
#include "actors/store/guarded_file_system.hpp"
#include "actors/store/id_filter.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe {

inline rocksdb::Slice slice(std::string_view x) {
  return {x.data(), x.size()};
}

/// What a database is made of, in the order in which it is built.
struct database::parts {
  parts() = default;
  ~parts();

  rocksdb::ColumnFamilyHandle* at(family where) const {
    return handles[static_cast<size_t>(where)];
  }

  database_options options;
  std::shared_ptr<id_window> window;
  std::shared_ptr<guarded_file_system> guarded; ///< Null without a guard.
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::atomic<bool> sound = true;
};

struct write_batch::content {
  const database::parts* parts;
  rocksdb::WriteBatch batch;
};

} // namespace troupe
