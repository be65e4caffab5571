#include "bridges/amqp/table.hpp"

#include <charconv>

namespace troupe {

namespace {

constexpr auto longest_table = size_t{64} << 10;

/// Calls `f` with each entry of an encoded table that can be read; the pool must live on.
template <class F>
void for_each_entry(const std::string& table, amqp_pool_t& pool, F f) {
  if (table.size() < 4 || table.size() > longest_table)
    return;
  auto out = amqp_table_t{};
  auto offset = size_t{0};
  if (amqp_decode_table(bytes_of(table), &pool, &out, &offset) < 0)
    return;
  for (auto i = 0; i < out.num_entries; ++i)
    f(out.entries[i]);
}

} // namespace

table_builder::table_builder(const std::map<std::string, std::string>& arguments) {
  for (const auto& [name, value] : arguments) {
    auto number = int64_t{0};
    auto [end, err] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (value == "true" || value == "false")
      add_flag(name, value == "true");
    else if (err == std::errc{} && end == value.data() + value.size())
      add_number(name, number);
    else
      add_text(name, value);
  }
}

amqp_table_entry_t& table_builder::add(std::string_view name, uint8_t kind) {
  auto& out = entries_.emplace_back();
  out.key = bytes_of(texts_.emplace_back(name));
  out.value.kind = kind;
  return out;
}

void table_builder::add_text(std::string_view name, std::string_view value) {
  auto bytes = bytes_of(texts_.emplace_back(value));
  add(name, AMQP_FIELD_KIND_UTF8).value.value.bytes = bytes;
}

void table_builder::add_number(std::string_view name, int64_t value) {
  add(name, AMQP_FIELD_KIND_I64).value.value.i64 = value;
}

void table_builder::add_flag(std::string_view name, bool value) {
  add(name, AMQP_FIELD_KIND_BOOLEAN).value.value.boolean = value;
}

void table_builder::add_table(std::string_view name, table_builder& value) {
  add(name, AMQP_FIELD_KIND_TABLE).value.value.table = value.get();
}

void table_builder::add_encoded(const std::string& table, std::string_view but_prefix) {
  auto& texts = texts_.emplace_back(table);
  auto& owner = pools_.emplace_back();
  for_each_entry(texts, owner.pool, [&](const amqp_table_entry_t& entry) {
    if (!text_of(entry.key).starts_with(but_prefix))
      entries_.push_back(entry);
  });
}

amqp_table_t table_builder::get() {
  return {static_cast<int>(entries_.size()), entries_.data()};
}

std::string encode_table(const amqp_table_t& table) {
  auto out = std::string(longest_table, '\0');
  auto copy = table;
  auto offset = size_t{0};
  if (amqp_encode_table(bytes_of(out), &copy, &offset) < 0)
    return {};
  out.resize(offset);
  return out;
}

std::optional<std::string> header_text(const std::string& table, std::string_view name) {
  auto out = std::optional<std::string>{};
  auto pool = amqp_pool_t{};
  init_amqp_pool(&pool, 4096);
  for_each_entry(table, pool, [&](const amqp_table_entry_t& entry) {
    const auto& value = entry.value;
    if (out || text_of(entry.key) != name)
      return;
    switch (value.kind) {
      case AMQP_FIELD_KIND_UTF8:
      case AMQP_FIELD_KIND_BYTES: out = text_of(value.value.bytes); break;
      case AMQP_FIELD_KIND_I64: out = std::to_string(value.value.i64); break;
      case AMQP_FIELD_KIND_I32: out = std::to_string(value.value.i32); break;
      case AMQP_FIELD_KIND_U64: out = std::to_string(value.value.u64); break;
      case AMQP_FIELD_KIND_U32: out = std::to_string(value.value.u32); break;
      default: break;
    }
  });
  empty_amqp_pool(&pool);
  return out;
}

} // namespace troupe
