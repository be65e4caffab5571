#include "actors/machines/machine_row.hpp"

namespace troupe {

namespace {

/// Copies what a row and its record have in common.
template <class From, class To>
void copy_plain(From& from, To& to) {
  to.first = from.first;
  to.seen = from.seen;
  to.message = from.message;
  to.status_at = from.status_at;
  to.task = from.task;
  to.run = from.run;
  to.phase = from.phase;
  to.run_key = from.run_key;
  to.run_begin = from.run_begin;
  to.taken_until = from.taken_until;
  to.deadline = from.deadline;
  to.lost_since = from.lost_since;
  to.up_at = from.up_at;
  to.down_at = from.down_at;
  to.running = from.running;
  to.completed = from.completed;
  to.failed = from.failed;
  to.kept_from = from.kept_from;
  to.quarantine_until = from.quarantine_until;
  to.quarantine_at = from.quarantine_at;
  to.expected = from.expected;
}

} // namespace

machine_record to_record(const machine_row& row, const word_list& words) {
  auto out = machine_record{};
  copy_plain(row, out);
  out.status = words.text(row.status);
  out.status_rank = row.status_rank;
  out.run_signs = row.run_signs;
  out.alerts = row.alerts;
  for (const auto& x : row.types)
    out.types.push_back({words.text(x.type), words.text(x.provisioner), x.at});
  for (const auto& x : row.exceptions)
    out.exceptions.emplace(words.text(x.reason), x.runs);
  return out;
}

machine_row from_record(machine_record x, word_list& words) {
  auto out = machine_row{};
  copy_plain(x, out);
  out.status = words.of(x.status);
  out.status_rank = static_cast<uint8_t>(x.status_rank);
  out.run_signs = static_cast<uint16_t>(x.run_signs);
  out.alerts = static_cast<uint8_t>(x.alerts);
  out.types.reserve(x.types.size());
  for (const auto& type : x.types)
    out.types.push_back({words.of(type.type), words.of(type.provisioner), type.at});
  out.exceptions.reserve(x.exceptions.size());
  for (const auto& [reason, runs] : x.exceptions)
    out.exceptions.push_back({words.of(reason), runs});
  return out;
}

} // namespace troupe
