#include "actors/artifacts/artifact_store.hpp"

#include "config/log.hpp"

#include <algorithm>

namespace troupe {

namespace {

using store_pointer = artifact_store_self::stateful_pointer<artifact_store_state>;
using waiter = artifact_store_state::waiter;

constexpr auto largest_write = size_t{256} << 10;
constexpr auto largest_read = uint32_t{1} << 20;
constexpr auto longest_wait = caf::timespan{std::chrono::seconds{30}};
constexpr auto tick = std::chrono::milliseconds{100};

artifact_chunk chunk_of(uint64_t at, std::string bytes) {
  auto out = artifact_chunk{};
  out.from = at;
  out.next = at + bytes.size();
  out.bytes = std::move(bytes);
  return out;
}

/// Answers from an open artifact; nothing if the reader is at its end.
caf::expected<std::optional<artifact_chunk>> read_open(const open_artifact& from,
                                                       const read_artifact& what) {
  auto at = what.from;
  if (at >= from.file.cut_begin() && at < from.file.cut_end())
    at = from.file.cut_end();
  if (at >= from.file.end())
    return std::optional<artifact_chunk>{};
  auto bytes = from.file.read(at, what.max_bytes);
  if (!bytes)
    return std::move(bytes.error());
  return std::optional{chunk_of(at, std::move(*bytes))};
}

/// Answers what there is now; nothing if the reader has to wait.
caf::expected<std::optional<artifact_chunk>> read_now(store_pointer self,
                                                      const read_artifact& what) {
  auto& st = self->state;
  auto open = st.open->find(what.key);
  if (!open)
    return std::move(open.error());
  if (*open != nullptr)
    return read_open(**open, what);
  auto chunk = st.closed->read(what);
  if (!chunk)
    return std::move(chunk.error());
  return std::optional{std::move(*chunk)};
}

/// Answers a reader whose wait is over: no bytes, or that there is no such artifact.
void give_up_waiting(store_pointer self, waiter& who) {
  auto chunk = read_now(self, who.what);
  if (!chunk)
    who.promise.deliver(std::move(chunk.error()));
  else
    who.promise.deliver(*chunk ? std::move(**chunk) : chunk_of(who.what.from, {}));
}

/// Answers the readers that wait for this artifact and can go on.
void wake(store_pointer self, const artifact_key& key) {
  auto& st = self->state;
  auto i = st.waiting.find(to_text(key));
  if (i == st.waiting.end())
    return;
  for (auto who = i->second.begin(); who != i->second.end();) {
    auto chunk = read_now(self, who->what);
    if (chunk && !*chunk) {
      ++who;
      continue;
    }
    if (chunk)
      who->promise.deliver(std::move(**chunk));
    else
      who->promise.deliver(std::move(chunk.error()));
    who = i->second.erase(who);
    --st.waiters;
  }
  if (i->second.empty())
    st.waiting.erase(i);
}

void schedule_tick(store_pointer self) {
  if (std::exchange(self->state.ticking, true))
    return;
  self->delayed_send(self, tick, caf::tick_atom_v);
}

void expire_waiters(store_pointer self) {
  auto& st = self->state;
  st.ticking = false;
  auto now = self->clock().now();
  for (auto i = st.waiting.begin(); i != st.waiting.end();) {
    i->second.remove_if([&](waiter& who) {
      if (who.until > now)
        return false;
      give_up_waiting(self, who);
      --st.waiters;
      return true;
    });
    i = i->second.empty() ? st.waiting.erase(i) : std::next(i);
  }
  if (st.waiters > 0)
    schedule_tick(self);
}

caf::result<artifact_chunk> wait_for_more(store_pointer self, read_artifact what) {
  auto& st = self->state;
  if (st.waiters >= st.options.waiters)
    return fault(ec::saturated, "too many readers wait for bytes");
  auto until = self->clock().now() + std::min(what.wait, longest_wait);
  auto name = to_text(what.key);
  auto promise = self->make_response_promise<artifact_chunk>();
  st.waiting[name].push_back({std::move(what), promise, until});
  ++st.waiters;
  schedule_tick(self);
  return promise;
}

caf::result<artifact_chunk> read(store_pointer self, read_artifact& what) {
  what.max_bytes = std::clamp(what.max_bytes, uint32_t{1}, largest_read);
  auto chunk = read_now(self, what);
  if (!chunk) {
    // A follower may come before the first byte of a stage.
    if (explain(chunk.error()).code == ec::not_found && what.wait.count() > 0)
      return wait_for_more(self, std::move(what));
    return std::move(chunk.error());
  }
  if (*chunk)
    return std::move(**chunk);
  if (what.wait.count() > 0)
    return wait_for_more(self, std::move(what));
  return chunk_of(what.from, {});
}

/// Finds the artifact that a write is for, or makes it; null if it is closed already.
caf::expected<open_artifact*> open_for(store_pointer self, const write_artifact& what) {
  auto& st = self->state;
  auto open = st.open->find(what.key);
  if (!open || *open != nullptr)
    return open;
  if (auto closed = st.closed->describe(what.key)) {
    if (what.offset + what.bytes.size() <= closed->end())
      return nullptr;
    return fault(ec::conflict, "the artifact is closed");
  } else if (explain(closed.error()).code != ec::not_found) {
    return std::move(closed.error());
  }
  if (what.offset != 0)
    return fault(ec::conflict, "the artifact does not begin at 0");
  return st.open->create(what.key, what.is_log);
}

caf::result<uint64_t> write(store_pointer self, const write_artifact& what) {
  auto& st = self->state;
  if (what.bytes.size() > largest_write)
    return fault(ec::too_large, "a write has at most 256 KiB");
  if (st.options.accepting && !st.options.accepting())
    return fault(ec::disk_full, "the disk guard refuses writes");
  auto open = open_for(self, what);
  if (!open)
    return std::move(open.error());
  if (*open == nullptr)
    return what.offset + what.bytes.size();
  auto& to = **open;
  if (to.closing && what.offset + what.bytes.size() > to.file.end())
    return fault(ec::conflict, "the artifact is being closed");
  auto end = to.file.write(what.offset, what.bytes);
  if (!end)
    return std::move(end.error());
  to.last_write = std::chrono::steady_clock::now();
  wake(self, what.key);
  return *end;
}

/// Hands an open artifact to the packing thread.
void pack(store_pointer self, const artifact_key& key) {
  auto& st = self->state;
  st.packing->post(
    [folder = st.folder, box = st.reports, key, owner = caf::actor_cast<caf::actor_addr>(self)] {
      auto result = close_on_disk(*folder, key);
      {
        auto guard = std::lock_guard{box->mutex};
        box->packed_files.push_back({key, std::move(result)});
      }
      if (auto alive = caf::actor_cast<caf::actor>(owner))
        caf::anon_send(alive, caf::update_atom_v);
    });
}

caf::result<artifact_ref> close(store_pointer self, const close_artifact& what) {
  auto& st = self->state;
  auto open = st.open->find(what.key);
  if (!open)
    return std::move(open.error());
  if (*open == nullptr) {
    auto closed = st.closed->describe(what.key);
    if (!closed)
      return std::move(closed.error());
    return closed->describe(what.key.name);
  }
  auto promise = self->make_response_promise<artifact_ref>();
  st.closing[to_text(what.key)].push_back(promise);
  if (!std::exchange((*open)->closing, true))
    pack(self, what.key);
  return promise;
}

/// Whether nobody will write to it any more, as far as can be known.
bool is_abandoned(const artifact_store_state& st, const open_artifact& what) {
  auto is_leftover = what.last_write < st.began;
  auto silence = std::chrono::steady_clock::now() - what.last_write;
  return silence >= (is_leftover ? st.options.leftover_silence : st.options.longest_silence);
}

/// Closes artifacts that nobody will close any more.
void close_abandoned(store_pointer self, const std::vector<artifact_key>& keys) {
  for (const auto& key : keys) {
    auto open = self->state.open->find(key);
    if (!open || *open == nullptr || !is_abandoned(self->state, **open)
        || std::exchange((*open)->closing, true))
      continue;
    log(log_level::info, "artifact_store", "closing an abandoned artifact",
        {{"artifact", to_text(key)}});
    pack(self, key);
  }
}

void take_reports(store_pointer self) {
  auto& st = self->state;
  auto packed = std::vector<artifact_store_state::packed>{};
  auto silent = std::vector<artifact_key>{};
  {
    auto guard = std::lock_guard{st.reports->mutex};
    packed.swap(st.reports->packed_files);
    silent.swap(st.reports->silent);
  }
  close_abandoned(self, silent);
  for (auto& [key, result] : packed) {
    if (result) {
      st.open->forget(key);
    } else {
      log(log_level::warning, "artifact_store", "an artifact was not closed",
          {{"artifact", to_text(key)}, {"why", one_line(result.error())}});
      if (auto open = st.open->find(key); open && *open != nullptr)
        (*open)->closing = false;
    }
    for (auto& promise : std::exchange(st.closing[to_text(key)], {})) {
      if (result)
        promise.deliver(*result);
      else
        promise.deliver(result.error());
    }
    st.closing.erase(to_text(key));
    wake(self, key);
  }
}

caf::result<artifact_list> list(store_pointer self, const list_artifacts& what) {
  auto& st = self->state;
  auto out = artifact_list{};
  auto run = st.folder->run_folder(what.job, what.run, false);
  if (!run && explain(run.error()).code == ec::not_found)
    return out;
  if (!run)
    return std::move(run.error());
  auto open = std::vector<std::string>{};
  for (const auto& file : entries_of(run->get())) {
    if (auto name = artifact_of(file, ".gz")) {
      if (auto index = st.closed->describe({what.job, what.run, *name}))
        out.artifacts.push_back(index->describe(*name));
    } else if (auto spooled = artifact_of(file, ".spool")) {
      open.push_back(*spooled);
    }
  }
  auto is_listed = [&](const std::string& name) {
    return std::any_of(out.artifacts.begin(), out.artifacts.end(),
                       [&](const auto& x) { return x.name == name; });
  };
  for (const auto& name : open)
    if (auto found = st.open->find({what.job, what.run, name});
        found && *found != nullptr && !is_listed(name)) {
      auto ref = artifact_ref{};
      ref.name = name;
      ref.length = (*found)->file.end();
      ref.truncated = (*found)->file.is_cut();
      out.artifacts.push_back(std::move(ref));
    }
  std::sort(out.artifacts.begin(), out.artifacts.end(),
            [](const auto& x, const auto& y) { return x.name < y.name; });
  return out;
}

void sweep(store_pointer self) {
  auto& st = self->state;
  auto silence = std::min(st.options.leftover_silence, st.options.longest_silence);
  st.packing->post([folder = st.folder, box = st.reports, keep = st.options.keep, silence,
                    owner = caf::actor_cast<caf::actor_addr>(self)] {
    auto found = find_silent(*folder, silence);
    {
      auto guard = std::lock_guard{box->mutex};
      box->silent = std::move(found);
    }
    if (auto alive = caf::actor_cast<caf::actor>(owner))
      caf::anon_send(alive, caf::update_atom_v);
    if (auto n = remove_expired(*folder, keep); n > 0)
      log(log_level::info, "artifact_store", "removed old artifacts", {{"jobs", n}});
  });
  self->delayed_send(self, st.options.sweep_every, caf::sys_atom_v);
}

void start(store_pointer self) {
  auto& st = self->state;
  st.packing = std::make_unique<work_thread>();
  st.packing->post([folder = st.folder] { remove_half_written(*folder); });
  sweep(self);
}

} // namespace

void read_artifact_options(section& in, artifact_store_options& options) {
  in.read_size("log_head", options.limits.log_head);
  in.read_size("log_tail", options.limits.log_tail);
  in.read_size("artifact_limit", options.limits.artifact);
  in.read_size("keep_size", options.keep.size);
  in.read("keep_for", options.keep.age);
  if (options.limits.log_head < 4096 || options.limits.log_tail < 4096)
    in.complain("log_tail", "head and tail of a log have at least 4 KiB");
}

artifact_store_self::behavior_type artifact_store(store_pointer self,
                                                  artifact_store_options options) {
  auto& st = self->state;
  self->set_default_handler(caf::drop);
  st.options = std::move(options);
  auto folder = artifact_folder::open(st.options.folder);
  if (folder) {
    st.folder = std::make_shared<const artifact_folder>(std::move(*folder));
    st.open.emplace(st.folder, st.options.limits, st.options.open_files);
    st.closed.emplace(st.folder);
    start(self);
  } else {
    self->quit(fault(ec::unavailable, one_line(folder.error())));
  }
  return {
    [=](const write_artifact& what) { return write(self, what); },
    [=](const close_artifact& what) { return close(self, what); },
    [=](read_artifact& what) { return read(self, what); },
    [=](const list_artifacts& what) { return list(self, what); },
    [=](caf::tick_atom) { expire_waiters(self); },
    [=](caf::update_atom) { take_reports(self); },
    [=](caf::sys_atom) { sweep(self); },
  };
}

} // namespace troupe
