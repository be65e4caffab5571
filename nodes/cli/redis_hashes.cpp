#include "nodes/cli/redis_hashes.hpp"

#include "messages/machine.hpp"
#include "nodes/cli/redis_client.hpp"

#include <array>

namespace troupe::cli {

namespace {

struct redis_hash {
  const char* name;
  const char* member; ///< Of a machine in the list.
};

constexpr auto hashes = std::array<redis_hash, 3>{{
  {"machines", "lastseen"},
  {"machines-last-status", "machines-last-status"},
  {"machines-last-taskid", "machines-last-taskid"},
}};

/// Commands that are sent before their answers are read.
constexpr auto ahead = size_t{1000};

json machine_named(std::string_view id) {
  auto halves = *split_machine_id(id);
  return {{"datacenter", halves.first},
          {"machine", halves.second},
          {"machines-last-status", nullptr},
          {"machines-last-taskid", nullptr}};
}

} // namespace

caf::expected<json> read_redis(const std::string& url) {
  auto client = redis_client::open(url);
  if (!client)
    return std::move(client.error());
  auto found = std::map<std::string, json>{};
  for (const auto& hash : hashes) {
    auto rows = client->hash(hash.name);
    if (!rows)
      return std::move(rows.error());
    for (auto& [id, text] : *rows) {
      if (!split_machine_id(id))
        continue;
      auto i = found.try_emplace(id).first;
      if (i->second.is_null())
        i->second = machine_named(id);
      i->second[hash.member] = std::move(text);
    }
  }
  auto out = json::array();
  for (auto& [_, machine] : found)
    if (machine.contains("lastseen")) // the rest of one that was taken out by hand
      out.push_back(std::move(machine));
  return out;
}

caf::error write_redis(const std::string& url, const json& list) {
  auto client = redis_client::open(url);
  if (!client)
    return std::move(client.error());
  for (const auto& machine : list) {
    auto id = to_machine_id(machine.value("datacenter", ""), machine.value("machine", ""));
    for (const auto& hash : hashes)
      if (auto i = machine.find(hash.member); i != machine.end() && i->is_string())
        client->queue({"HSET", hash.name, id, i->get<std::string>()});
    if (client->queued() >= ahead)
      if (auto why = client->flush())
        return why;
  }
  return client->flush();
}

} // namespace troupe::cli
