#include "actors/journal/journal.hpp"

#include "actors/journal/embedded_backend.hpp"
#include "nodes/node_store.hpp"

namespace troupe {

namespace {

struct journal_role_options {
  journal_options journal;
  store_options store;
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
  out.store = read_store_options(in);
  out.store.database.id_sweep = out.journal.limits.id_window;
  return out;
}

} // namespace

std::vector<supervised_role> prepare_journal(node_context& node, section& in) {
  auto out = supervised_role{};
  out.role = "journal";
  out.critical = true; // its projections share the database that a failed write spoils
  out.start = [&node, options = read_options(in)]() -> caf::expected<caf::strong_actor_ptr> {
    if (auto err = open_store(node, options.store))
      return err;
    auto backend = embedded_backend::open(node.store);
    if (!backend)
      return std::move(backend.error());
    return started(spawn_journal(*node.sys, std::move(*backend), options.journal));
  };
  return {std::move(out)};
}

} // namespace troupe
