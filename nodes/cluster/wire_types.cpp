#include "nodes/cluster/wire_types.hpp"

#include "messages/protocols.hpp"

#include <utility>

namespace troupe {

namespace {

template <class Block, size_t... Offsets>
void add_block(std::set<std::string, std::less<>>& out, std::index_sequence<Offsets...>) {
  (out.insert(caf::type_name_by_id<Block::begin + Offsets>::value), ...);
}

} // namespace

std::set<std::string, std::less<>> wire_types() {
  auto out = std::set<std::string, std::less<>>{
    "@str", "@u8",  "@u16",   "@u32",  "@u64",  "@i8",       "@i16",       "@i32",
    "@i64", "bool", "double", "float", "@unit", "@timespan", "@timestamp", "@duration",
  };
  using block = caf::id_block::troupe;
  add_block<block>(out, std::make_index_sequence<block::end - block::begin>{});
  // Only the journal's own node decides what to forget.
  out.erase(trim_journal::type_name);
  return out;
}

std::map<std::string, std::set<uint64_t>, std::less<>> wire_orders() {
  return {
    {"+@atom",
     {status_atom::uint_value(), cursors_atom::uint_value(), queues_atom::uint_value(),
      runners_atom::uint_value(), nodes_atom::uint_value()}},
    {"+@atom+@str", {caf::leave_atom::uint_value(), caf::delete_atom::uint_value()}},
    {"+@atom+@str+@strong_actor_ptr", {role_atom::uint_value()}},
  };
}

} // namespace troupe
