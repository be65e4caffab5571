#include "nodes/config_check.hpp"

#include "nodes/node.hpp"
#include "nodes/role.hpp"

#include <charconv>

namespace troupe {

namespace {

/// Takes ":NUMBER" off the end of `text`.
std::optional<int> take_number(std::string& text) {
  auto colon = text.rfind(':');
  auto out = 0;
  if (colon == std::string::npos || colon + 1 == text.size())
    return std::nullopt;
  auto [end, fault] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), out);
  if (fault != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  text.resize(colon);
  return out;
}

/// A file that could not be read as a whole has one fault, its place is "file[:line:column]".
config_fault fault_of_file(const caf::error& why) {
  auto parts = explain(why);
  auto out = config_fault{parts.place, 1, 1, "", parts.text};
  auto column = take_number(out.file);
  if (auto line = column ? take_number(out.file) : std::nullopt) {
    out.line = *line;
    out.column = *column;
  }
  return out;
}

} // namespace

std::vector<config_fault> check_node_config(const std::string& path, named_files how) {
  auto root = section::from_file(path);
  if (!root)
    return {fault_of_file(root.error())};
  return check_node_config(std::move(*root), how);
}

std::vector<config_fault> check_node_config(section root, named_files how) {
  auto context = node_context{};
  static_cast<void>(read_node(root, context));
  if (how == named_files::opened)
    for (const auto& check : context.file_checks)
      check();
  return root.faults();
}

std::vector<config_key> known_node_keys() {
  // Every role, and one runner of each driver, so that each reader declares its keys.
  auto root = section::from_text(
    "roles: {journal: , jobs: , statistics: , machines: , artifacts: , objects: , http: , tests: "
    "{runners: {docker: , exec: , fake: , process: }}, amqp: {exchanges: {ebs: }, "
    "queues: {objects: {bindings: {ebs: }}}, consume: {objects: }, "
    "publish: {events: }}}\ncluster: {peers: {runner_1: }}",
    "every role");
  auto context = node_context{};
  if (!root)
    return {};
  static_cast<void>(read_node(*root, context));
  return root->described();
}

} // namespace troupe
