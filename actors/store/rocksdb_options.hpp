#pragma once

#include "actors/store/database.hpp"
#include "actors/store/id_filter.hpp"

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <vector>

namespace troupe {

/// Returns how the database as a whole is run: few threads, bounded memory, no
/// statistics, no log file of its own (its warnings go to our log).
rocksdb::DBOptions database_wide_options(const database_options& in, rocksdb::Env* env);

/// Returns the families in the order of `family`, each tuned for its use.
std::vector<rocksdb::ColumnFamilyDescriptor>
family_options(const database_options& in, const std::shared_ptr<const id_window>& window);

} // namespace troupe
