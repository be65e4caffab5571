#include "bridges/http/routes/stream_pump.hpp"

#include <caf/send.hpp>

namespace troupe {

namespace {

/// How often in a row a missing part is waited for, a second each.
constexpr auto most_patience = 300;

constexpr auto pause_time = std::chrono::seconds{1};

/// Of one write: the server ends a stream that hands it much at once, and a job with what its
/// tests have said may be large.
constexpr auto piece_bytes = size_t{256} << 10;

} // namespace

stream_pump::stream_pump(caf::actor_config& cfg, stream_writer out,
                         std::shared_ptr<route_context> shared)
  : caf::event_based_actor{cfg}, shared_{std::move(shared)}, out_{std::move(out)} {
  set_default_handler(caf::drop);
}

void stream_pump::on_exit() {
  out_.finish();
}

caf::behavior stream_pump::make_behavior() {
  caf::anon_send(caf::actor{this}, caf::tick_atom_v);
  return {
    [this](caf::tick_atom) { next(); },
    [this](caf::ok_atom) {
      if (written_ < bytes_.size())
        return write_piece();
      bytes_ = {};
      if (finishing_)
        return quit();
      if (!std::exchange(pausing_, false))
        return next();
      delayed_send(this, pause_time, caf::tick_atom_v);
    },
    [this](caf::close_atom) { quit(); },
  };
}

void stream_pump::write(std::string bytes) {
  if (bytes.empty()) {
    caf::anon_send(caf::actor{this}, caf::ok_atom_v);
    return;
  }
  bytes_ = std::move(bytes);
  written_ = 0;
  write_piece();
}

void stream_pump::write_piece() {
  auto piece = bytes_.substr(written_, piece_bytes);
  written_ += piece.size();
  out_.write(std::move(piece), [self = caf::actor{this}](bool taken) {
    if (taken)
      caf::anon_send(self, caf::ok_atom_v);
    else
      caf::anon_send(self, caf::close_atom_v);
  });
}

void stream_pump::send(std::string bytes) {
  write(std::move(bytes));
}

void stream_pump::beat() {
  write(heartbeat());
}

void stream_pump::later() {
  if (++patience_ > most_patience || (heartbeat().empty() && patience_ > 5))
    return finish({});
  pause();
}

void stream_pump::pause() {
  pausing_ = true;
  write(heartbeat());
}

void stream_pump::finish(std::string last) {
  finishing_ = true;
  write(std::move(last));
}

std::string sse_event(std::string_view name, std::string_view id, const json& data) {
  auto out = std::string{"event: "} + std::string{name} + '\n';
  // An id may hold the name of a log; a line end in it would begin another field.
  if (!id.empty() && obeys("line", id))
    out += "id: " + std::string{id} + '\n';
  return out + "data: " + json_text(data) + "\n\n";
}

} // namespace troupe
