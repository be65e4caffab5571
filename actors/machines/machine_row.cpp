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
  to.run = from.run;
  to.phase = from.phase;
  to.run_key = from.run_key;
  to.run_begin = from.run_begin;
  to.taken_until = from.taken_until;
  to.deadline = from.deadline;
  to.running = from.running;
  to.completed = from.completed;
  to.failed = from.failed;
  to.kept_from = from.kept_from;
  to.expected = from.expected;
}

/// The same for what few machines have.
template <class From, class To>
void copy_more(From& from, To& to) {
  to.lost_since = from.lost_since;
  to.up_at = from.up_at;
  to.down_at = from.down_at;
  to.quarantine_until = from.quarantine_until;
  to.quarantine_at = from.quarantine_at;
}

} // namespace

const machine_extra machine_row::nothing_more = {};

machine_row::machine_row(const machine_row& other) : id{other.id}, task{other.task} {
  copy_plain(other, *this);
  run_signs = other.run_signs;
  status = other.status;
  status_rank = other.status_rank;
  alerts = other.alerts;
  type = other.type;
  if (other.extra_)
    extra_ = std::make_unique<machine_extra>(*other.extra_);
}

machine_record to_record(const machine_row& row, const word_list& words) {
  auto out = machine_record{};
  const auto& more = row.more();
  copy_plain(row, out);
  copy_more(more, out);
  out.task = row.task.view();
  out.status = words.text(row.status);
  out.status_rank = row.status_rank;
  out.run_signs = row.run_signs;
  out.alerts = row.alerts;
  auto add = [&](const served_type& x) {
    out.types.push_back({words.text(x.type), words.text(x.provisioner), x.at});
  };
  if (row.type.at != never)
    add(row.type);
  for (const auto& x : more.types)
    add(x);
  for (const auto& x : more.exceptions)
    out.exceptions.emplace(words.text(x.reason), x.runs);
  return out;
}

machine_row from_record(const machine_record& x, word_list& words) {
  auto out = machine_row{};
  copy_plain(x, out);
  out.task.assign(x.task);
  out.status = words.of(x.status);
  out.status_rank = static_cast<uint8_t>(x.status_rank);
  out.run_signs = static_cast<uint16_t>(x.run_signs);
  out.alerts = static_cast<uint8_t>(x.alerts);
  auto served = [&](const machine_record::served& from) {
    return served_type{words.of(from.type), words.of(from.provisioner), from.at};
  };
  if (!x.types.empty())
    out.type = served(x.types[0]);
  if (x.types.size() < 2 && x.exceptions.empty() && x.lost_since == never && x.up_at == never
      && x.down_at == never && x.quarantine_until == never && x.quarantine_at == never)
    return out;
  auto& more = out.change_more();
  copy_more(x, more);
  for (auto i = size_t{1}; i < x.types.size(); ++i)
    more.types.push_back(served(x.types[i]));
  for (const auto& [reason, runs] : x.exceptions)
    more.exceptions.push_back({words.of(reason), runs});
  return out;
}

} // namespace troupe
