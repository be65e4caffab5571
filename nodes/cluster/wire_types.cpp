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
    "@atom",
    "@str",
    "@u8",
    "@u16",
    "@u32",
    "@u64",
    "@i8",
    "@i16",
    "@i32",
    "@i64",
    "bool",
    "double",
    "float",
    "@unit",
    "@timespan",
    "@timestamp",
    "@duration",
    "@strong_actor_ptr", // where a role is
  };
  using block = caf::id_block::troupe;
  add_block<block>(out, std::make_index_sequence<block::end - block::begin>{});
  return out;
}

} // namespace troupe
