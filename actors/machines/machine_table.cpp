#include "actors/machines/machine_draft.hpp"
#include "config/log.hpp"

#include <algorithm>

/// How signs of machines become rows and history.
namespace troupe {

namespace {

constexpr auto day = caf::timespan{std::chrono::hours{24}};
constexpr auto longest_task = size_t{64};

/// Begin of the UTC day; the history is cut by whole days, so seldom.
caf::timestamp floor_day(caf::timestamp t) {
  auto into = t.time_since_epoch() % day;
  return t - (into < caf::timespan{0} ? into + day : into);
}

void cut(std::string& x, size_t most) {
  if (x.size() > most)
    x.resize(most);
}

void tidy(machine_seen& x) {
  cut(x.task, longest_task);
  cut(x.provisioner, machine_word_size);
  cut(x.worker_type, machine_word_size);
  cut(x.state, machine_word_size);
  cut(x.reason, machine_word_size);
  // A zero ends texts in keys.
  for (auto* text : {&x.task, &x.reason})
    std::erase(*text, '\0');
}

} // namespace

machine_table::machine_table(std::shared_ptr<projection_table> table, machine_limits limits)
  : table_{std::move(table)}, limits_{std::move(limits)} {}

machine_table::~machine_table() = default;

caf::error machine_table::open() {
  auto got = table_->get(machine_keys::mark);
  if (!got)
    return std::move(got.error());
  if (*got) {
    auto read = decode<machine_mark>(**got);
    if (!read)
      return std::move(read.error());
    mark_ = *read;
  }
  auto broken = caf::error{};
  auto why = table_->scan({"r", "s", false}, [&](std::string_view key, std::string_view value) {
    auto read = decode<machine_record>(value);
    if (!read) {
      broken = std::move(read.error());
      return false;
    }
    auto where = rows_.add(key.substr(1));
    rows_.fill(where, from_record(*read, words_));
    return true;
  });
  if (why || broken)
    return why ? why : broken;
  return table_->scan({"f", "g", false}, [&](std::string_view key, std::string_view value) {
    auto ns = static_cast<int64_t>(key_number(value).value_or(0));
    forgotten_[std::string{key.substr(1)}] = caf::timestamp{caf::timespan{ns}};
    return true;
  });
}

caf::error machine_table::keep_mark() {
  return table_->write({{std::string{machine_keys::mark}, encode(mark_)}});
}

void machine_table::skip_to(uint64_t sequence) {
  mark_.sequence = std::max(mark_.sequence, sequence - 1);
}

caf::error machine_table::apply(const event_batch& batch) {
  auto to = draft{};
  to.mark = mark_;
  to.counts = counts_;
  for (const auto& x : batch.events) {
    if (x.sequence <= to.mark.sequence)
      continue;
    to.mark.sequence = x.sequence;
    if (auto why = apply_event(x, to)) {
      roll_back(to);
      return why;
    }
  }
  to.mark.sequence = std::max(to.mark.sequence, batch.next - 1);
  if (auto why = settle(to)) {
    roll_back(to);
    return why;
  }
  return write(to);
}

caf::error machine_table::write(draft& to) {
  // A machine may have got another place: first all go, then all come.
  for (const auto& [where, old] : to.before)
    if (!old.empty() && old.id != rows_.at(where).id)
      to.changes.emplace_back(machine_keys::row(old.id), std::nullopt);
  for (const auto& [where, old] : to.before)
    if (const auto& row = rows_.at(where); !row.empty())
      to.changes.emplace_back(machine_keys::row(row.id), encode(to_record(row, words_)));
  while (!to.history.empty()) {
    auto x = to.history.extract(to.history.begin());
    to.changes.emplace_back(std::move(x.key()), std::move(x.mapped()));
  }
  // Events of others move the mark only; it is written along with the next change.
  if (!to.changes.empty()) {
    to.changes.emplace_back(machine_keys::mark, encode(to.mark));
    if (auto why = table_->write(to.changes)) {
      roll_back(to);
      return why;
    }
  }
  mark_ = to.mark;
  counts_.sequence = mark_.sequence;
  for (const auto& [where, old] : to.before)
    touched_.push_back(where);
  return {};
}

void machine_table::roll_back(draft& to) {
  // Ids may have changed places: all go before any comes back.
  for (const auto& [where, old] : to.before)
    if (!rows_.at(where).empty())
      rows_.remove(where);
  for (auto& [where, old] : to.before)
    if (!old.empty())
      rows_.restore(where, std::move(old));
  for (auto& [id, at] : to.forgotten_before)
    if (at)
      forgotten_[id] = *at;
    else
      forgotten_.erase(id);
  counts_ = to.counts;
}

machine_rows::place machine_table::touch(std::string_view id, draft& to) {
  auto where = rows_.find(id);
  if (where == machine_rows::nowhere) {
    where = rows_.add(id);
    to.before.try_emplace(where);
  } else if (!to.before.contains(where)) {
    to.before.emplace(where, rows_.at(where));
  }
  return where;
}

caf::error machine_table::apply_event(const stored_event& x, draft& to) {
  const auto& topic = x.what.topic;
  auto ours = topic.starts_with("machine.");
  if (!ours && !(limits_.own_runners && topic.starts_with("job.run_")))
    return {};
  auto failed = [&](const caf::error& why) {
    log(log_level::error, "machines", "event cannot be read",
        {{"sequence", x.sequence}, {"topic", topic}, {"reason", one_line(why)}});
    return caf::error{};
  };
  auto with = [&]<class T>(const T*, auto apply) -> caf::error {
    auto read = unpack<T>(x.what.payload);
    return read ? apply(*read) : failed(read.error());
  };
  if (topic == machine_seen::topic)
    return with(static_cast<machine_seen*>(nullptr), [&](machine_seen& sign) {
      add_sign(std::move(sign), x.arrived, to);
      return caf::error{};
    });
  if (topic == run_started::topic)
    return with(static_cast<run_started*>(nullptr), [&](const run_started& run) {
      if (run.queue != outside_queue)
        add_sign(sign_of(run, x.what.time, limits_.own_datacenter), x.arrived, to);
      return caf::error{};
    });
  if (topic == run_finished::topic)
    return with(static_cast<run_finished*>(nullptr), [&](const run_finished& run) {
      if (run.queue != outside_queue)
        add_sign(sign_of(run, x.what.time, limits_.own_datacenter), x.arrived, to);
      return caf::error{};
    });
  // What is decided here comes between the signs before and after it.
  if (auto why = settle(to))
    return why;
  if (topic == machine_quarantined::topic)
    return with(static_cast<machine_quarantined*>(nullptr),
                [&](const machine_quarantined& y) { return apply_quarantine(y, to); });
  if (topic == machine_forgotten::topic)
    return with(static_cast<machine_forgotten*>(nullptr),
                [&](const machine_forgotten& y) { return apply_forgotten(y, to); });
  if (topic == machine_inventory::topic)
    return with(static_cast<machine_inventory*>(nullptr), [&](const machine_inventory& y) {
      apply_inventory(y, to);
      return caf::error{};
    });
  if (topic == machine_alert::topic)
    return with(static_cast<machine_alert*>(nullptr), [&](const machine_alert& y) {
      apply_alert(y, to);
      return caf::error{};
    });
  return {};
}

void machine_table::add_sign(machine_seen x, caf::timestamp arrived, draft& to) {
  tidy(x);
  ++counts_.messages[std::string{name_of(x.kind)}];
  if (!split_machine_id(x.machine)) {
    ++counts_.ignored["no-machine"];
    return;
  }
  if (!forgotten_.empty())
    if (auto i = forgotten_.find(x.machine); i != forgotten_.end() && x.at <= i->second) {
      ++counts_.ignored["forgotten"];
      return;
    }
  auto where = touch(x.machine, to);
  auto& row = rows_.at(where);
  auto what = meaning_of(x);
  if (x.kind < machine_sign::imported) {
    if (x.at < row.message)
      ++counts_.out_of_order;
    counts_.lag = std::max(arrived - std::min(x.at, arrived), caf::timespan{0});
  }
  auto fresh = what.of_run && surely_new(row, x, what);
  fold(row, words_, x, what);
  rows_.changed(where);
  if (!what.of_run)
    return;
  // One machine whose clock is far ahead must not lose what it did.
  auto latest = arrived == caf::timestamp{} ? row.run_begin : std::min(row.run_begin, arrived);
  auto from = floor_day(latest - limits_.history_for);
  if (from > row.kept_from) {
    row.kept_from = from;
    if (row.has_history())
      to.shortened.push_back(where);
  }
  auto& sign = to.open.emplace_back();
  sign.where = where;
  sign.begin = what.begin;
  sign.kind = x.kind;
  sign.fresh = fresh;
  sign.key = machine_keys::history(x.machine, what.begin, x);
  sign.value = encode(history_entry{x.worker_type, x.state, x.started, x.resolved, x.taken_until});
  if (x.kind == machine_sign::exception)
    sign.reason = std::move(x.reason);
}

/// Tells new signs from repeated ones, and counts the new ones.
caf::error machine_table::settle(draft& to) {
  auto keys = std::vector<std::string_view>{};
  for (const auto& x : to.open)
    if (!x.fresh && to.pending(x.key) == nullptr)
      keys.push_back(x.key);
  auto known = std::unordered_map<std::string_view, std::string>{};
  if (!keys.empty()) {
    auto got = table_->multi_get(keys);
    if (!got)
      return std::move(got.error());
    for (auto i = size_t{0}; i < keys.size(); ++i)
      if ((*got)[i])
        known.emplace(keys[i], std::move(*(*got)[i]));
  }
  for (auto& x : to.open) {
    auto& row = rows_.at(x.where);
    if (x.begin < row.kept_from) {
      ++counts_.ignored["too-old"];
      continue;
    }
    auto* pending = x.fresh ? nullptr : to.pending(x.key);
    auto stored = known.find(x.key);
    auto repeated = pending != nullptr ? pending->has_value() : stored != known.end();
    if (repeated) {
      ++counts_.duplicates;
      // Should two tell of one run differently, the choice must not be the order's.
      const auto& old = pending != nullptr ? **pending : stored->second;
      if (x.value > old)
        to.history[x.key] = std::move(x.value);
      continue;
    }
    count(row, words_, x.kind, x.reason, 1);
    to.history.insert_or_assign(std::move(x.key), std::move(x.value));
  }
  to.open.clear();
  auto shortened = std::exchange(to.shortened, {});
  std::sort(shortened.begin(), shortened.end());
  shortened.erase(std::unique(shortened.begin(), shortened.end()), shortened.end());
  for (auto where : shortened)
    if (auto why = forget_runs(where, to))
      return why;
  return {};
}

/// Forgets the runs of a machine that began before `kept_from`.
caf::error machine_table::forget_runs(machine_rows::place where, draft& to) {
  auto& row = rows_.at(where);
  auto prefix = machine_keys::history(row.id);
  auto from = machine_keys::history_before(row.id, row.kept_from);
  auto going = std::vector<std::string>{};
  auto see = [&](std::string_view key, std::string_view) {
    going.emplace_back(key);
    return true;
  };
  if (auto why = table_->scan({from, machine_keys::after(prefix), false}, see))
    return why;
  for (const auto& [key, value] : to.history)
    if (value && key >= from && key.starts_with(prefix))
      going.push_back(key);
  std::sort(going.begin(), going.end());
  going.erase(std::unique(going.begin(), going.end()), going.end());
  for (auto& key : going) {
    if (auto* pending = to.pending(key); pending != nullptr && !*pending)
      continue; // gone already
    if (auto parts = machine_keys::read_history(key, prefix.size()))
      count(row, words_, parts->kind, parts->reason, -1);
    to.history[std::move(key)] = std::nullopt;
  }
  return {};
}

std::vector<machine_rows::place> machine_table::take_touched() {
  auto out = std::exchange(touched_, {});
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

} // namespace troupe
