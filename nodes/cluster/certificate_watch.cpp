#include "nodes/cluster/certificate_watch.hpp"

#include "config/log.hpp"
#include "messages/time.hpp"

#include <sys/stat.h>

namespace troupe {

namespace {

using watch_pointer = certificate_watch_actor::stateful_pointer<certificate_watch_state>;

constexpr auto look_every = std::chrono::minutes{1};
constexpr auto warn_before = std::chrono::hours{14 * 24};
constexpr auto warn_every = std::chrono::hours{24};

std::map<std::string, int64_t> times_of(const std::vector<std::string>& files) {
  auto out = std::map<std::string, int64_t>{};
  for (const auto& path : files)
    if (struct stat at{}; stat(path.c_str(), &at) == 0)
      out[path] = at.st_mtim.tv_sec * 1'000'000'000 + at.st_mtim.tv_nsec;
  return out;
}

void warn(certificate_watch_state& st) {
  auto expires = caf::timestamp{st.connections->identity().expires().time_since_epoch()};
  auto time = now();
  if (expires - time > warn_before || time - st.warned < warn_every)
    return;
  st.warned = time;
  log(log_level::warning, "cluster", "the certificate of this node expires soon",
      {{"expires", to_iso8601(expires)}});
}

void look(watch_pointer self) {
  auto& st = self->state;
  if (auto times = times_of(st.files); times != st.changed_at) {
    // Files are replaced one by one: what does not fit together yet is tried again.
    auto why = st.connections->reload();
    log(why ? log_level::error : log_level::info, "cluster",
        why ? "the new certificate is not fit, the old one stays" : "certificates were read again",
        {{"why", why ? one_line(why) : ""}});
    if (!why)
      st.changed_at = std::move(times);
  }
  warn(st);
}

} // namespace

certificate_watch_actor::behavior_type certificate_watch(watch_pointer self,
                                                         std::shared_ptr<transport> connections,
                                                         std::vector<std::string> files) {
  auto& st = self->state;
  st.connections = std::move(connections);
  st.files = std::move(files);
  st.changed_at = times_of(st.files);
  self->delayed_send(self, look_every, caf::tick_atom_v);
  warn(st);
  return {[self](caf::tick_atom) {
    look(self);
    if (self->current_sender() == self) // a signal does not start a second round
      self->delayed_send(self, look_every, caf::tick_atom_v);
  }};
}

} // namespace troupe
