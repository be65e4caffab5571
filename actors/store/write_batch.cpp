#include "actors/store/write_batch.hpp"

#include "actors/store/database_parts.hpp"

namespace troupe {

database::parts::~parts() {
  if (guarded)
    guarded->stop_waiting();
  for (auto* handle : handles)
    db->DestroyColumnFamilyHandle(handle);
}

write_batch::write_batch(const database& db)
  : content_{std::make_unique<content>(db.parts_.get(), rocksdb::WriteBatch{})} {}

write_batch::~write_batch() = default;
write_batch::write_batch(write_batch&&) noexcept = default;
write_batch& write_batch::operator=(write_batch&&) noexcept = default;

void write_batch::put(family where, std::string_view key, std::string_view value) {
  content_->batch.Put(content_->parts->at(where), slice(key), slice(value));
}

void write_batch::erase(family where, std::string_view key) {
  content_->batch.Delete(content_->parts->at(where), slice(key));
}

void write_batch::erase_range(family where, std::string_view from, std::string_view to) {
  content_->batch.DeleteRange(content_->parts->at(where), slice(from), slice(to));
}

void write_batch::clear() {
  content_->batch.Clear();
}

bool write_batch::empty() const {
  return content_->batch.Count() == 0;
}

size_t write_batch::bytes() const {
  return content_->batch.GetDataSize();
}

} // namespace troupe
