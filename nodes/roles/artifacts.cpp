#include "actors/artifacts/artifact_store.hpp"
#include "actors/store/disk_guard.hpp"
#include "nodes/role.hpp"

namespace troupe {

std::vector<supervised_role> prepare_artifacts(node_context& node, section& in) {
  auto options = artifact_store_options{};
  read_artifact_options(in, options);
  auto out = supervised_role{};
  out.role = "artifacts";
  out.start = [&node, options]() mutable -> caf::expected<caf::strong_actor_ptr> {
    if (options.folder.empty())
      options.folder = node.options.data + "/artifacts";
    if (!options.accepting)
      options.accepting = [guard = node.guard] { return !guard || guard->accepting(); };
    return started(node.sys->spawn<caf::detached>(artifact_store, options));
  };
  return {std::move(out)};
}

} // namespace troupe
