#include "actors/store/database.hpp"

#include "actors/store/database_parts.hpp"
#include "actors/store/rocksdb_options.hpp"
#include "config/log.hpp"
#include "messages/codec.hpp"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <filesystem>

namespace troupe {

namespace {

constexpr auto format_key = std::string_view{"format"};

std::string_view view(const rocksdb::Slice& x) {
  return {x.data(), x.size()};
}

caf::error failure(const rocksdb::Status& status, const std::string& doing) {
  auto code = status.IsCorruption() ? ec::corrupt : ec::unavailable;
  return fault(code, doing + ": " + status.ToString());
}

bool is_about_lock(const std::string& text) {
  return text.find("lock file") != std::string::npos || text.find("lock hold") != std::string::npos;
}

/// Refuses a newer format, notes the format of a new database. An older one lacks
/// families only, which are there by now.
caf::error check_format(database& db) {
  auto stored = db.get(family::standard, format_key);
  if (!stored)
    return std::move(stored.error());
  auto note = [&] {
    auto batch = write_batch{db};
    batch.put(family::standard, format_key, encode(store_format));
    return db.write(batch, durability::synced, write_kind::accepted);
  };
  if (!*stored)
    return note();
  auto format = decode<uint64_t>(**stored);
  if (!format || *format == 0)
    return fault(ec::corrupt, "the format of the database cannot be read");
  if (*format > store_format)
    return fault(ec::unsupported, "the data folder has format " + std::to_string(*format)
                                    + ", this program reads up to " + std::to_string(store_format)
                                    + ": upgrade it, or restore a backup of the older format");
  return *format < store_format ? note() : caf::error{};
}

/// Makes the folder if it is new. An old one's log is written to tables before
/// anything else happens, and there must be room for that.
caf::error prepare_folder(const std::string& folder, disk_guard* guard) {
  auto fault_code = std::error_code{};
  std::filesystem::create_directories(folder, fault_code);
  if (fault_code)
    return fault(ec::unavailable, "cannot make " + folder + ": " + fault_code.message());
  auto log_bytes = uint64_t{1} << 20;
  for (const auto& entry : std::filesystem::directory_iterator{folder, fault_code})
    if (entry.path().extension() == ".log")
      log_bytes += entry.file_size(fault_code);
  if (guard != nullptr && !guard->make_room(log_bytes))
    return fault(ec::disk_full, "too little disk space to open " + folder + ": "
                                  + std::to_string(log_bytes) + " bytes are needed");
  return {};
}

rocksdb::Slice* bound(const key_range& range, rocksdb::Slice& room) {
  room = slice(range.to);
  return range.to.empty() ? nullptr : &room;
}

} // namespace

caf::expected<std::shared_ptr<database>> database::open(const std::string& folder,
                                                        database_options options) {
  if (auto why = prepare_folder(folder, options.guard.get()))
    return why;
  auto parts = std::make_unique<database::parts>();
  parts->options = options;
  parts->window = std::make_shared<id_window>();
  auto fs = options.file_system ? options.file_system : rocksdb::FileSystem::Default();
  if (options.guard) {
    parts->guarded = std::make_shared<guarded_file_system>(fs, options.guard);
    fs = parts->guarded;
  }
  parts->env = rocksdb::NewCompositeEnv(fs);
  auto wide = database_wide_options(options, parts->env.get());
  auto families = family_options(options, parts->window);
  auto* db = static_cast<rocksdb::DB*>(nullptr);
  auto status = rocksdb::DB::Open(wide, folder, families, &parts->handles, &db);
  if (!status.ok()) {
    // A newer program may have added families; its format is what matters to people.
    if (status.IsInvalidArgument()
        && view(status.ToString()).find("olumn famil") != std::string::npos)
      return fault(ec::unsupported,
                   "the data folder was written by a newer program: " + status.ToString());
    if (status.IsIOError() && is_about_lock(status.ToString()))
      return fault(ec::unavailable, "another process uses the database in " + folder);
    return failure(status, "cannot open " + folder);
  }
  parts->db.reset(db);
  auto out = std::shared_ptr<database>{new database{std::move(parts)}};
  if (auto why = check_format(*out))
    return why;
  return out;
}

database::database(std::unique_ptr<parts> p) : parts_{std::move(p)} {}

database::~database() = default;

caf::error database::write(write_batch& batch, durability when, write_kind kind) {
  if (!sound())
    return fault(ec::unavailable, "the database has failed before");
  // What is written now is written again by a flush and by compactions.
  if (auto& watch = parts_->options.guard; watch && !watch->admits(3 * batch.bytes(), kind))
    return fault(ec::disk_full, "too little disk space");
  auto how = rocksdb::WriteOptions{};
  how.sync = when == durability::synced;
  auto began = std::chrono::steady_clock::now();
  auto status = parts_->db->Write(how, &batch.content_->batch);
  if (status.ok()) {
    (how.sync ? synced_ : lazy_).add(std::chrono::steady_clock::now() - began);
    return {};
  }
  parts_->sound = false;
  log(log_level::error, "store", "a write failed, nothing more is written",
      {{"error", status.ToString()}});
  return fault(ec::unavailable, "cannot write: " + status.ToString());
}

caf::expected<std::optional<std::string>> database::get(family where, std::string_view key) const {
  auto value = std::string{};
  auto status = parts_->db->Get({}, parts_->at(where), slice(key), &value);
  if (status.IsNotFound())
    return std::optional<std::string>{};
  if (!status.ok())
    return failure(status, "cannot read");
  return std::optional{std::move(value)};
}

caf::expected<std::vector<std::optional<std::string>>>
database::multi_get(family where, std::span<const std::string_view> keys) const {
  auto out = std::vector<std::optional<std::string>>(keys.size());
  auto names = std::vector<rocksdb::Slice>(keys.size());
  std::transform(keys.begin(), keys.end(), names.begin(), slice);
  auto values = std::vector<rocksdb::PinnableSlice>(keys.size());
  auto states = std::vector<rocksdb::Status>(keys.size());
  parts_->db->MultiGet({}, parts_->at(where), names.size(), names.data(), values.data(),
                       states.data());
  for (auto i = size_t{0}; i < keys.size(); ++i) {
    if (states[i].ok())
      out[i] = values[i].ToString();
    else if (!states[i].IsNotFound())
      return failure(states[i], "cannot read");
  }
  return out;
}

caf::error database::scan(family where, const key_range& range, const visit_entry& visit) const {
  auto from = slice(range.from);
  auto to = rocksdb::Slice{};
  auto how = rocksdb::ReadOptions{};
  how.iterate_lower_bound = &from;
  how.iterate_upper_bound = bound(range, to);
  // A scan must not drive out what the look-ups of a commit need.
  how.fill_cache = false;
  auto i = std::unique_ptr<rocksdb::Iterator>{parts_->db->NewIterator(how, parts_->at(where))};
  if (range.reverse)
    i->SeekToLast();
  else
    i->Seek(from);
  while (i->Valid() && visit(view(i->key()), view(i->value())))
    range.reverse ? i->Prev() : i->Next();
  if (!i->status().ok())
    return failure(i->status(), "cannot read");
  return {};
}

uint64_t database::estimated_keys(family where) const {
  auto n = uint64_t{0};
  parts_->db->GetIntProperty(parts_->at(where), rocksdb::DB::Properties::kEstimateNumKeys, &n);
  return n;
}

uint64_t database::estimated_bytes(family where, const key_range& range) const {
  auto how = rocksdb::SizeApproximationOptions{};
  how.include_memtables = true;
  auto end = range.to.empty() ? std::string(64, '\xFF') : range.to;
  auto area = rocksdb::Range{slice(range.from), slice(end)};
  auto n = uint64_t{0};
  parts_->db->GetApproximateSizes(how, parts_->at(where), &area, 1, &n);
  return n;
}

caf::error database::drop_files(family where, const key_range& range) {
  auto from = slice(range.from);
  auto to = rocksdb::Slice{};
  auto status = rocksdb::DeleteFilesInRange(parts_->db.get(), parts_->at(where), &from,
                                            bound(range, to), false);
  return status.ok() ? caf::error{} : failure(status, "cannot drop files");
}

caf::error database::flush() {
  if (!sound())
    return fault(ec::unavailable, "the database has failed before");
  // A flush that has begun waits for space, so it must not begin without.
  if (auto& watch = parts_->options.guard;
      watch && !watch->admits(parts_->options.all_write_buffers, write_kind::derived))
    return fault(ec::disk_full, "too little disk space to flush");
  auto status = parts_->db->Flush({}, parts_->handles);
  return status.ok() ? caf::error{} : failure(status, "cannot flush");
}

void database::keep_ids(uint64_t from_ordinal, int64_t since) {
  parts_->window->from_ordinal = from_ordinal;
  parts_->window->since = since;
}

bool database::sound() const {
  return parts_->sound;
}

const std::shared_ptr<disk_guard>& database::guard() const {
  return parts_->options.guard;
}

std::string number_key(uint64_t x) {
  auto out = std::string(8, '\0');
  for (auto i = 0; i < 8; ++i)
    out[7 - i] = static_cast<char>(x >> (8 * i));
  return out;
}

std::optional<uint64_t> key_number(std::string_view key) {
  if (key.size() != 8)
    return std::nullopt;
  auto x = uint64_t{0};
  for (auto byte : key)
    x = (x << 8) | static_cast<uint8_t>(byte);
  return x;
}

} // namespace troupe
