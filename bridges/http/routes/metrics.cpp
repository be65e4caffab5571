#include "bridges/http/process_metrics.hpp"
#include "bridges/http/routes/call.hpp"
#include "bridges/http/routes/metrics_report.hpp"
#include "messages/time.hpp"

#include <prometheus/text_serializer.h>

namespace troupe {

namespace {

constexpr auto scrape_time = std::chrono::seconds{1};

/// Asks roles all at once and waits for them together: one that does not answer
/// costs a second, not one for each question.
class scrape {
public:
  explicit scrape(call& c)
    : call_{c}, self_{c.shared.sys}, until_{std::chrono::steady_clock::now()
                                            + std::min<caf::timespan>(c.remaining(), scrape_time)} {
  }

  /// Begins a question; a role that was never there is not asked for.
  template <class Reply, class Handle, class... Xs>
  void ask(const std::function<Handle()>& question, std::optional<Reply>& to, Xs... xs) {
    auto role = std::string{role_name<Handle>};
    auto handle = find_role(question);
    if (!handle) {
      if (question && is_needed<Handle>
          && (call_.shared.options.with_jobs || std::is_same_v<Handle, journal_actor>))
        out.up.emplace(role, false);
      return;
    }
    out.up.emplace(role, true);
    using pending = decltype(self_->request(handle, caf::timespan{}, xs...));
    auto sent = std::make_shared<pending>(self_->request(handle, left(), std::move(xs)...));
    answers_.push_back([this, role, &to, sent] {
      sent->receive([&](Reply& reply) { to = std::move(reply); },
                    [&](const caf::error&) { out.up[role] = false; });
    });
  }

  void wait() {
    auto began = std::chrono::steady_clock::now();
    for (auto& x : std::exchange(answers_, {}))
      x();
    out.canary = std::max<caf::timespan>(out.canary, std::chrono::steady_clock::now() - began);
  }

  scraped_roles out;

private:
  /// The roles without which a node with this bridge does nothing.
  template <class Handle>
  static constexpr auto is_needed =
    std::is_same_v<
      Handle,
      journal_actor> || std::is_same_v<Handle, job_ledger_actor> || std::is_same_v<Handle, statistics_actor>;

  caf::timespan left() const {
    return std::max<caf::timespan>(until_ - std::chrono::steady_clock::now(),
                                   std::chrono::milliseconds{1});
  }

  call& call_;
  caf::scoped_actor self_;
  std::chrono::steady_clock::time_point until_;
  std::vector<std::function<void()>> answers_;
};

scraped_roles ask_roles(call& c) {
  const auto& roles = c.shared.roles;
  auto all = scrape{c};
  all.ask(roles.journal, all.out.journal, status_atom_v);
  all.ask(roles.jobs, all.out.queues, queues_atom_v);
  all.ask(roles.statistics, all.out.statistics, status_atom_v);
  all.ask(roles.amqp, all.out.amqp, status_atom_v);
  all.ask(roles.machines, all.out.machines, status_atom_v);
  all.ask(roles.amqp, all.out.dead_letters, list_dead_letters{});
  all.wait();
  // The oldest event that waits in the outbox is one read of one event.
  const auto& outbox = all.out.amqp;
  if (outbox && !outbox->cursor.empty() && outbox->published_up_to + 1 < outbox->journal_next) {
    auto first = read_events{};
    first.from = outbox->published_up_to + 1;
    first.max_events = 1;
    auto oldest = std::optional<event_batch>{};
    all.ask(roles.journal, oldest, first);
    all.wait();
    if (oldest && !oldest->events.empty())
      all.out.outbox_oldest = oldest->events.front().arrived;
  }
  return std::move(all.out);
}

http_response metrics(call& c) {
  auto families = std::vector<prometheus::MetricFamily>{};
  const auto& options = c.shared.options;
  if (options.figures)
    collect_node(families, options.figures());
  collect_process(families);
  c.shared.requests.collect(families);
  collect_streams(families, c.shared.pumps.count());
  auto roles = ask_roles(c);
  collect_roles(families, roles, now());
  if (options.metrics.celery_names && roles.statistics)
    collect_celery(families, *roles.statistics);
  auto out = text_response(200, prometheus::TextSerializer{}.Serialize(families));
  out.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return out;
}

/// Whether a scrape needs no token.
bool is_open(const route_options& options, const http_request& in) {
  switch (options.metrics.access) {
    case metrics_access::open: return true;
    case metrics_access::loopback: return in.remote == "::1" || in.remote.starts_with("127.");
    case metrics_access::token: break;
  }
  return false;
}

} // namespace

std::vector<route> metrics_routes() {
  return {
    {.method = "GET",
     .path = "/metrics",
     .least = token_level::read,
     .open = is_open,
     .tag = "health",
     .summary = "Tells the node's metrics to Prometheus",
     .answers = {{200, "Text format 0.0.4.", {}, "text/plain"}},
     .run = metrics},
  };
}

} // namespace troupe
