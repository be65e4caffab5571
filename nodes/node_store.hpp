#pragma once

#include "actors/store/database.hpp"
#include "actors/store/disk_guard.hpp"
#include "nodes/role.hpp"

namespace troupe {

/// How a node keeps what its roles store.
struct store_options {
  disk_guard_options disk;
  database_options database;
};

/// Reads `disk` and `store` of the role that opens the store.
store_options read_store_options(section& in);

/// Opens the store of the node in its data folder, once. Errors: those of the
/// disk guard and the database.
caf::error open_store(node_context& node, store_options options);

} // namespace troupe
