#include "actors/projection/projection_table.hpp"

namespace troupe {

namespace {

class database_table final : public projection_table {
public:
  database_table(std::shared_ptr<database> db, family where, table_sync how)
    : db_{std::move(db)}, where_{where}, batch_{*db_}, when_{how == table_sync::each_write
                                                               ? durability::synced
                                                               : durability::lazy} {}

  caf::error write(const table_changes& changes) override {
    batch_.clear();
    for (const auto& [key, value] : changes)
      if (value)
        batch_.put(where_, key, *value);
      else
        batch_.erase(where_, key);
    return db_->write(batch_, when_);
  }

  caf::expected<std::optional<std::string>> get(std::string_view key) const override {
    return db_->get(where_, key);
  }

  caf::expected<std::vector<std::optional<std::string>>>
  multi_get(std::span<const std::string_view> keys) const override {
    return db_->multi_get(where_, keys);
  }

  caf::error scan(const key_range& range, const visit_entry& visit) const override {
    return db_->scan(where_, range, visit);
  }

private:
  std::shared_ptr<database> db_;
  family where_;
  write_batch batch_;
  durability when_;
};

} // namespace

caf::expected<std::vector<std::optional<std::string>>>
projection_table::multi_get(std::span<const std::string_view> keys) const {
  auto out = std::vector<std::optional<std::string>>{};
  out.reserve(keys.size());
  for (auto key : keys) {
    auto value = get(key);
    if (!value)
      return std::move(value.error());
    out.push_back(std::move(*value));
  }
  return out;
}

caf::error memory_table::write(const table_changes& changes) {
  for (const auto& [key, value] : changes)
    if (value)
      entries_[key] = *value;
    else
      entries_.erase(key);
  return {};
}

caf::expected<std::optional<std::string>> memory_table::get(std::string_view key) const {
  auto i = entries_.find(key);
  if (i == entries_.end())
    return std::optional<std::string>{};
  return std::optional<std::string>{i->second};
}

caf::error memory_table::scan(const key_range& range, const visit_entry& visit) const {
  auto from = entries_.lower_bound(range.from);
  auto to = range.to.empty() ? entries_.end() : entries_.lower_bound(range.to);
  if (!range.reverse) {
    for (; from != to; ++from)
      if (!visit(from->first, from->second))
        break;
    return {};
  }
  while (to != from) {
    --to;
    if (!visit(to->first, to->second))
      break;
  }
  return {};
}

std::shared_ptr<projection_table> make_projection_table(std::shared_ptr<database> db, family where,
                                                        table_sync how) {
  return std::make_shared<database_table>(std::move(db), where, how);
}

} // namespace troupe
