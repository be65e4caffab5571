#include "actors/statistics/tally.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// A tally as it is stored.
struct tally_row {
  std::vector<uint64_t> counters;
  std::vector<uint64_t> results;
  std::vector<uint64_t> reasons;
  std::string spend;
  std::string wait;
  caf::timestamp last_seen{};
  uint64_t last_sequence = 0;

  static constexpr auto type_name = "troupe::tally_row";
  static constexpr auto fields = std::tuple{
    field{"counters", &tally_row::counters},
    field{"results", &tally_row::results},
    field{"reasons", &tally_row::reasons},
    field{"spend", &tally_row::spend},
    field{"wait", &tally_row::wait},
    field{"last_seen", &tally_row::last_seen},
    field{"last_sequence", &tally_row::last_sequence},
  };
};

/// The counters in the order of their row; new ones are appended.
constexpr auto stored_counters = std::array{&tally::distributed, &tally::started, &tally::processed,
                                            &tally::failed,      &tally::retried, &tally::dead,
                                            &tally::canceled,    &tally::running, &tally::waiting};

template <size_t N>
void read_into(std::array<uint64_t, N>& to, const std::vector<uint64_t>& from) {
  std::copy_n(from.begin(), std::min(N, from.size()), to.begin());
}

template <size_t N>
void add_to(std::array<uint64_t, N>& to, const std::array<uint64_t, N>& from) {
  std::transform(to.begin(), to.end(), from.begin(), to.begin(), std::plus<>{});
}

template <class E, size_t N>
std::map<std::string, uint64_t> named(const std::array<uint64_t, N>& counts) {
  auto out = std::map<std::string, uint64_t>{};
  for (auto i = size_t{0}; i < N; ++i)
    if (counts[i] > 0)
      out.emplace(name_of(static_cast<E>(i)), counts[i]);
  return out;
}

} // namespace

void tally::merge(const tally& other) {
  for (auto member : stored_counters)
    this->*member += other.*member;
  add_to(results, other.results);
  add_to(reasons, other.reasons);
  spend.merge(other.spend);
  wait.merge(other.wait);
  last_seen = std::max(last_seen, other.last_seen);
  last_sequence = std::max(last_sequence, other.last_sequence);
}

std::string tally::bytes() const {
  auto row = tally_row{};
  for (auto member : stored_counters)
    row.counters.push_back(this->*member);
  row.results.assign(results.begin(), results.end());
  row.reasons.assign(reasons.begin(), reasons.end());
  row.spend = spend.bytes();
  row.wait = wait.bytes();
  row.last_seen = last_seen;
  row.last_sequence = last_sequence;
  return encode(row);
}

caf::expected<tally> tally::load(std::string_view bytes) {
  auto row = decode<tally_row>(bytes);
  if (!row)
    return std::move(row.error());
  auto spend = duration_sketch::load(row->spend);
  auto wait = duration_sketch::load(row->wait);
  if (!spend || !wait)
    return fault(ec::corrupt, "malformed durations");
  auto out = tally{};
  for (auto i = size_t{0}; i < std::min(stored_counters.size(), row->counters.size()); ++i)
    out.*stored_counters[i] = row->counters[i];
  read_into(out.results, row->results);
  read_into(out.reasons, row->reasons);
  out.spend = std::move(*spend);
  out.wait = std::move(*wait);
  out.last_seen = row->last_seen;
  out.last_sequence = row->last_sequence;
  return out;
}

work_report tally::report() const {
  auto out = work_report{};
  out.distributed = distributed;
  out.started = started;
  out.processed = processed;
  out.failed = failed;
  out.retried = retried;
  out.dead = dead;
  out.canceled = canceled;
  out.in_progress = running;
  out.waiting = waiting;
  out.spend = spend.summary();
  out.wait = wait.summary();
  out.results = named<verdict>(results);
  out.reasons = named<reason>(reasons);
  out.last_seen = last_seen;
  return out;
}

} // namespace troupe
