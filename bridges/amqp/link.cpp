#include "bridges/amqp/link.hpp"

#include "config/log.hpp"
#include "messages/error.hpp"
#include "messages/time.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <random>

namespace troupe {

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A connection that lived shorter counts as a failed attempt.
constexpr auto short_life = std::chrono::seconds{5};
/// Reconnects follow each other at about one a second at first.
constexpr auto early_backoff = milliseconds{2'000};
constexpr auto frames_per_turn = 1536;

} // namespace

struct link::core {
  core(link_options how, std::shared_ptr<link_duty> what, std::function<void()> told)
    : options{std::move(how)}, duty{std::move(what)}, changed{std::move(told)},
      bell{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {
    status.link = options.name;
    if (!options.brokers.empty())
      status.broker = to_string(options.brokers.front());
    status.since = now();
    status.state = amqp_state::connecting;
  }
  ~core() {
    ::close(bell);
  }

  void run();
  void attempt(const amqp_endpoint& to);
  caf::error serve(session& at);
  caf::error read_frames(session& at, int& taken);
  caf::error take(session& at, const amqp_frame_t& in);
  void sleep(milliseconds span);
  void set_state(amqp_state state, std::string trouble = {});
  void ring() {
    auto one = uint64_t{1};
    static_cast<void>(!::write(bell, &one, sizeof one));
  }
  void hush() {
    auto count = uint64_t{0};
    static_cast<void>(!::read(bell, &count, sizeof count));
  }

  const link_options options;
  const std::shared_ptr<link_duty> duty;
  const std::function<void()> changed;
  const int bell;
  std::atomic<bool> stopping = false;
  std::atomic<bool> is_up = false;
  std::atomic<steady::rep> last_turn = 0;

  mutable std::mutex mutex;
  amqp_link_status status;
  int fd = -1; ///< Of the present connection, for `cut`.
  bool ended = false;
  std::condition_variable end;

  // Of the thread alone.
  steady::time_point last_sent_heartbeat{};
  steady::time_point stalled_since{};
};

void link::core::set_state(amqp_state state, std::string trouble) {
  {
    auto guard = std::lock_guard{mutex};
    if (status.state == state && status.trouble == trouble)
      return;
    status.state = state;
    status.since = now();
    status.trouble = std::move(trouble);
  }
  is_up = state == amqp_state::up || state == amqp_state::blocked;
  changed();
}

void link::core::sleep(milliseconds span) {
  auto until = steady::now() + span;
  while (!stopping && steady::now() < until) {
    auto left = std::chrono::duration_cast<milliseconds>(until - steady::now()) + milliseconds{1};
    auto what = pollfd{bell, POLLIN, 0};
    ::poll(&what, 1, static_cast<int>(left.count()));
    hush();
  }
}

caf::error link::core::take(session& at, const amqp_frame_t& in) {
  if (in.frame_type == AMQP_FRAME_METHOD)
    switch (in.payload.method.id) {
      case AMQP_CONNECTION_CLOSE_METHOD: return at.closed_by(in);
      case AMQP_CONNECTION_BLOCKED_METHOD: {
        auto what = static_cast<const amqp_connection_blocked_t*>(in.payload.method.decoded);
        auto why = std::string{static_cast<const char*>(what->reason.bytes), what->reason.len};
        log(log_level::warning, "amqp", "the broker takes no messages",
            {{"link", options.name}, {"reason", why}});
        duty->blocked(true);
        set_state(amqp_state::blocked, "the broker takes no messages: " + why);
        return {};
      }
      case AMQP_CONNECTION_UNBLOCKED_METHOD:
        log(log_level::info, "amqp", "the broker takes messages again", {{"link", options.name}});
        duty->blocked(false);
        set_state(amqp_state::up);
        return {};
      default: break;
    }
  return in.frame_type == AMQP_FRAME_HEARTBEAT ? caf::error{} : duty->frame(at, in);
}

caf::error link::core::read_frames(session& at, int& taken) {
  for (taken = 0; taken < frames_per_turn && duty->reads(); ++taken) {
    auto in = amqp_frame_t{};
    auto got = at.next(in, milliseconds{0});
    if (!got)
      return std::move(got.error());
    if (!*got)
      break;
    if (auto why = take(at, in))
      return why;
  }
  amqp_maybe_release_buffers(at.get());
  return {};
}

caf::error link::core::serve(session& at) {
  // Often enough for heartbeats of any length, and for the duty's own clock.
  constexpr auto longest_turn = milliseconds{250};
  while (!stopping) {
    if (auto why = duty->work(at))
      return why;
    auto taken = 0;
    if (auto why = read_frames(at, taken))
      return why;
    auto reading = duty->reads();
    if (!reading) {
      // The library sends heartbeats only while it reads.
      auto time = steady::now();
      if (time - last_sent_heartbeat >= options.how.heartbeat / 2) {
        last_sent_heartbeat = time;
        if (auto why = at.send_heartbeat())
          return why;
      }
      if (stalled_since == steady::time_point{})
        stalled_since = time;
      // A broker closes a connection that reads nothing; better it keeps what we cannot hold.
      if (time - stalled_since > options.how.heartbeat)
        return fault(ec::unavailable, "too many bytes of deliveries wait for the journal");
    } else {
      stalled_since = {};
    }
    last_turn = steady::now().time_since_epoch().count();
    if ((taken > 0 && reading) || duty->busy())
      continue;
    pollfd what[] = {{bell, POLLIN, 0}, {at.fd(), POLLIN, 0}};
    ::poll(what, reading ? 2 : 1, static_cast<int>(longest_turn.count()));
    hush();
  }
  return duty->work(at); // what was asked for before the end
}

void link::core::attempt(const amqp_endpoint& to) {
  {
    auto guard = std::lock_guard{mutex};
    status.broker = to_string(to);
  }
  auto opened = session::open(to, options.how);
  auto why = opened ? caf::error{} : std::move(opened.error());
  if (opened) {
    auto& at = **opened;
    {
      auto guard = std::lock_guard{mutex};
      fd = at.fd();
      ++status.connections;
    }
    why = duty->opened(at);
    if (!why) {
      log(log_level::info, "amqp", "connected to the broker",
          {{"link", options.name}, {"broker", to_string(to)}});
      set_state(amqp_state::up);
      stalled_since = {};
      last_turn = steady::now().time_since_epoch().count();
      why = serve(at);
    }
    is_up = false;
    duty->closed();
    if (!why)
      at.close();
    auto guard = std::lock_guard{mutex};
    fd = -1;
  }
  if (why && !stopping) {
    auto text = one_line(why);
    auto fresh = false;
    {
      auto guard = std::lock_guard{mutex};
      ++status.failures;
      fresh = status.trouble != text;
    }
    // An outage of hours is one line, not thousands.
    if (fresh)
      log(log_level::warning, "amqp", "no connection to the broker",
          {{"link", options.name}, {"broker", to_string(to)}, {"error", text}});
    set_state(amqp_state::down, std::move(text));
  }
}

void link::core::run() {
  // A broken TLS connection would end the process by a signal.
  auto pipe = sigset_t{};
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  auto random = std::mt19937{std::random_device{}()};
  auto outage = steady::now();
  for (auto turn = size_t{0}; !stopping && !options.brokers.empty(); ++turn) {
    auto begin = steady::now();
    attempt(options.brokers[turn % options.brokers.size()]);
    if (stopping)
      break;
    auto end_time = steady::now();
    if (end_time - begin > short_life + options.how.connect_limit)
      outage = end_time;
    auto half = std::chrono::duration_cast<milliseconds>(end_time - outage) / 2;
    auto most = std::min(options.longest_backoff, std::max(early_backoff, half));
    auto least = std::min(options.first_backoff, most);
    auto span = std::uniform_int_distribution<int64_t>{least.count(), most.count()};
    sleep(milliseconds{span(random)});
  }
  set_state(amqp_state::down, "stopped");
  auto guard = std::lock_guard{mutex};
  ended = true;
  end.notify_all();
}

link::link(link_options options, std::shared_ptr<link_duty> duty, std::function<void()> changed)
  : core_{std::make_shared<core>(std::move(options), std::move(duty), std::move(changed))} {
  thread_ = std::thread{[to = core_] { to->run(); }};
}

link::~link() {
  stop(milliseconds{0});
}

void link::wake() {
  core_->ring();
}

void link::stop(milliseconds limit) {
  if (!thread_.joinable())
    return;
  core_->stopping = true;
  core_->ring();
  auto lock = std::unique_lock{core_->mutex};
  auto ended = [this] { return core_->ended; };
  if (!core_->end.wait_for(lock, limit, ended) && core_->fd >= 0)
    session::cut(core_->fd);
  // What is left can only hang in the resolver, or in a connection that is not there yet.
  auto done = core_->end.wait_for(lock, milliseconds{2'000}, ended);
  lock.unlock();
  if (done)
    thread_.join();
  else
    thread_.detach();
}

void link::watch() {
  if (!core_->is_up)
    return;
  auto last = steady::time_point{steady::duration{core_->last_turn.load()}};
  // A call has its own limit and may come on top of a turn.
  if (steady::now() - last < core_->options.how.call_limit + core_->options.how.heartbeat * 3 / 2)
    return;
  auto guard = std::lock_guard{core_->mutex};
  if (core_->fd >= 0)
    session::cut(core_->fd);
}

amqp_link_status link::status() const {
  auto guard = std::lock_guard{core_->mutex};
  return core_->status;
}

bool link::up() const {
  return core_->is_up;
}

} // namespace troupe
