#include "actors/store/id_filter.hpp"

#include "actors/store/database.hpp"

namespace troupe {

namespace {

class id_filter final : public rocksdb::CompactionFilter {
public:
  id_filter(uint64_t from_ordinal, int64_t since) : from_ordinal_{from_ordinal}, since_{since} {}

  const char* Name() const override {
    return "troupe.ids";
  }

  bool Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string*,
              bool*) const override {
    auto bytes = std::string_view{value.data(), value.size()};
    if (bytes.size() < 16)
      return false;
    auto ordinal = *key_number(bytes.substr(0, 8));
    auto arrived = static_cast<int64_t>(*key_number(bytes.substr(8, 8)));
    return ordinal < from_ordinal_ || arrived <= since_;
  }

private:
  uint64_t from_ordinal_;
  int64_t since_;
};

class id_filter_factory final : public rocksdb::CompactionFilterFactory {
public:
  explicit id_filter_factory(std::shared_ptr<const id_window> window)
    : window_{std::move(window)} {}

  const char* Name() const override {
    return "troupe.ids";
  }

  std::unique_ptr<rocksdb::CompactionFilter>
  CreateCompactionFilter(const rocksdb::CompactionFilter::Context&) override {
    return std::make_unique<id_filter>(window_->from_ordinal, window_->since);
  }

private:
  std::shared_ptr<const id_window> window_;
};

} // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory>
make_id_filter(std::shared_ptr<const id_window> window) {
  return std::make_shared<id_filter_factory>(std::move(window));
}

} // namespace troupe
