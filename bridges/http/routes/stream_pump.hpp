#pragma once

#include "bridges/http/routes/call.hpp"

#include <caf/event_based_actor.hpp>

#include <string>

namespace troupe {

/// Feeds one live stream: reads something, writes it, and reads on only when
/// the peer has taken it. So a slow reader costs one write's memory, and no thread.
class stream_pump : public caf::event_based_actor {
public:
  stream_pump(caf::actor_config& cfg, stream_writer out, std::shared_ptr<route_context> shared);

  void on_exit() override;

protected:
  caf::behavior make_behavior() override;

  /// Reads what comes next; ends with one call of `send`, `beat`, `pause`, `later` or `finish`.
  virtual void next() = 0;

  /// What keeps the stream alive while there is nothing to say; empty = nothing can be written.
  virtual std::string heartbeat() const {
    return ":\n\n";
  }

  /// Writes, then calls `next` when it is with the peer.
  void send(std::string bytes);
  /// Writes a heartbeat, then calls `next`.
  void beat();
  /// Writes a heartbeat, waits a second, then calls `next`.
  void pause();
  /// A part is absent: pauses, and gives up in the end.
  void later();
  /// Writes and ends the stream.
  void finish(std::string last);

  /// Asks an actor; `taken` takes the answer, `failed` an error that waiting does not cure.
  template <class Reply, class Handle, class Message, class Taken, class Failed>
  void ask(const std::function<Handle()>& question, caf::timespan wait, Message what, Taken taken,
           Failed failed) {
    auto to = find_role(question);
    if (!to)
      return later();
    auto limit = wait + caf::timespan{std::chrono::seconds{5}};
    request(to, limit, std::move(what))
      .then(
        [this, taken = std::move(taken)](Reply& reply) {
          patience_ = 0;
          taken(reply);
        },
        [this, failed = std::move(failed)](caf::error& why) {
          if (retryable(why))
            later();
          else
            failed(why);
        });
  }

  const std::shared_ptr<route_context> shared_;

private:
  void write(std::string bytes);
  void write_piece();

  stream_writer out_;
  std::string bytes_;  ///< Being written.
  size_t written_ = 0; ///< Of them.
  bool finishing_ = false;
  bool pausing_ = false;
  int patience_ = 0;
};

/// Returns one server-sent event. Data is one line (JSON); an id that is empty or no line is left
/// out.
std::string sse_event(std::string_view name, std::string_view id, const json& data);

/// Starts a pump for a stream and keeps track of it.
template <class Pump, class... Args>
std::function<void(stream_writer)> pump_stream(route_context& shared, Args... args) {
  return [all = shared.shared_from_this(), ... args = std::move(args)](stream_writer out) {
    all->pumps.add(all->sys.spawn<Pump>(std::move(out), all, args...));
  };
}

} // namespace troupe
