#include "nodes/node_store.hpp"

namespace troupe {

store_options read_store_options(section& in) {
  auto out = store_options{};
  auto disk = in.child("disk");
  disk.read("reserve_percent", out.disk.reserve_percent, 0, 90);
  disk.read_size("reserve_bytes", out.disk.reserve_bytes);
  disk.read_size("ballast_bytes", out.disk.ballast_bytes);
  auto store = in.child("store");
  store.read_size("write_buffer", out.database.write_buffer);
  store.read_size("all_write_buffers", out.database.all_write_buffers);
  store.read_size("block_cache", out.database.block_cache);
  store.read_size("log_size", out.database.log_size);
  return out;
}

caf::error open_store(node_context& node, store_options options) {
  if (node.store)
    return caf::none;
  auto guard = disk_guard::watch(node.options.data, options.disk);
  if (!guard)
    return std::move(guard.error());
  options.database.guard = *guard;
  auto store = database::open(node.options.data + "/store", options.database);
  if (!store)
    return std::move(store.error());
  node.guard = std::move(*guard);
  node.store = std::move(*store);
  return caf::none;
}

} // namespace troupe
