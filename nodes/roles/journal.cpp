#include "actors/journal/journal.hpp"

#include "actors/journal/embedded_backend.hpp"
#include "actors/store/database.hpp"
#include "actors/store/disk_guard.hpp"
#include "nodes/role.hpp"

namespace troupe {

namespace {

struct journal_role_options {
  journal_options journal;
  disk_guard_options disk;
  database_options store;
};

journal_role_options read_options(section& in) {
  auto out = journal_role_options{};
  auto keep = std::chrono::milliseconds{out.journal.keep_for};
  in.read("keep_for", keep);
  out.journal.keep_for = std::chrono::duration_cast<std::chrono::seconds>(keep);
  in.read_size("keep_bytes", out.journal.keep_bytes);
  in.read_size("consumer_lag", out.journal.consumer_lag);
  auto ids = in.child("repeated_ids");
  ids.read("kept", out.journal.limits.ids_kept, 1, INT64_MAX);
  auto window = std::chrono::milliseconds{out.journal.limits.id_window};
  ids.read("window", window);
  out.journal.limits.id_window = std::chrono::duration_cast<std::chrono::seconds>(window);
  out.store.id_sweep = out.journal.limits.id_window;
  auto disk = in.child("disk");
  disk.read("reserve_percent", out.disk.reserve_percent, 0, 90);
  disk.read_size("reserve_bytes", out.disk.reserve_bytes);
  disk.read_size("ballast_bytes", out.disk.ballast_bytes);
  auto store = in.child("store");
  store.read_size("write_buffer", out.store.write_buffer);
  store.read_size("all_write_buffers", out.store.all_write_buffers);
  store.read_size("block_cache", out.store.block_cache);
  store.read_size("log_size", out.store.log_size);
  return out;
}

caf::error open_store(node_context& node, journal_role_options options) {
  if (node.store)
    return caf::none;
  auto guard = disk_guard::watch(node.options.data, options.disk);
  if (!guard)
    return std::move(guard.error());
  options.store.guard = *guard;
  auto store = database::open(node.options.data + "/store", options.store);
  if (!store)
    return std::move(store.error());
  node.guard = std::move(*guard);
  node.store = std::move(*store);
  return caf::none;
}

} // namespace

std::vector<supervised_role> prepare_journal(node_context& node, section& in) {
  auto out = supervised_role{};
  out.role = "journal";
  out.critical = true; // its projections share the database that a failed write spoils
  out.start = [&node, options = read_options(in)]() -> caf::expected<caf::strong_actor_ptr> {
    if (auto err = open_store(node, options))
      return err;
    auto backend = embedded_backend::open(node.store);
    if (!backend)
      return std::move(backend.error());
    return started(spawn_journal(*node.sys, std::move(*backend), options.journal));
  };
  return {std::move(out)};
}

} // namespace troupe
