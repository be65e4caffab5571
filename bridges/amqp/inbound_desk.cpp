#include "bridges/amqp/inbound_desk.hpp"

#include "config/log.hpp"

#include <algorithm>

namespace troupe {

namespace {

using std::chrono::milliseconds;

/// What the journal commits at once, so that more in one append gains nothing.
constexpr auto batch_groups = size_t{512};
constexpr auto batch_bytes = size_t{1} << 20;
constexpr auto first_backoff = caf::timespan{milliseconds{200}};
constexpr auto longest_backoff = caf::timespan{milliseconds{5'000}};
constexpr auto told_of_body = size_t{256};
constexpr auto early_pause = caf::timespan{milliseconds{500}};
constexpr auto bury_pause = caf::timespan{milliseconds{2'000}};

} // namespace

void inbound_desk::take(std::vector<delivery> deliveries) {
  auto work = entries{};
  work.reserve(deliveries.size());
  for (auto& in : deliveries) {
    ++open_;
    ++parts_.counts->delivered;
    auto x = entry{};
    x.ref = in.ref;
    x.weight = weight_of(in.message);
    x.message = std::move(in.message);
    x.from = &parts_.options->consume[in.ref.queue];
    x.message.topic = x.from->topic;
    // A feed's messages are told apart by what they say.
    x.by_hash = !x.from->feed && identify(x.message);
    if (x.by_hash)
      x.message.digest = ++nonce_;
    work.push_back(std::move(x));
  }
  // While others wait for the same journal there is no use in asking it for these.
  if (journal_away_ && !held_.empty())
    for (auto& x : work)
      held_.push_back(std::move(x));
  else
    decide(std::move(work), batch_groups);
  flush();
}

void inbound_desk::decide(entries work, size_t most_groups) {
  auto batch = entries{};
  auto groups = std::vector<append_group>{};
  auto bytes = size_t{0};
  for (auto& x : work) {
    bytes += x.weight;
    decide_one(std::move(x), batch, groups);
    if (groups.size() >= most_groups || (bytes >= batch_bytes && !groups.empty())) {
      append(std::exchange(batch, {}), std::exchange(groups, {}));
      bytes = 0;
    }
  }
  if (!groups.empty())
    append(std::move(batch), std::move(groups));
}

void inbound_desk::decide_one(entry x, entries& batch, std::vector<append_group>& groups) {
  if (own_app_.empty())
    return hold(std::move(x));
  if (x.message.app_id == own_app_) {
    ++parts_.counts->own;
    return done(x.ref, x.weight);
  }
  if (x.message.body.size() > x.from->max_body)
    return bury(std::move(x),
                fault(ec::too_large,
                      "the body is larger than " + std::to_string(x.from->max_body) + " bytes"));
  if (x.from->feed)
    return take_news(std::move(x), batch, groups);
  auto handler = handler_for(*x.from, x.message.routing_key);
  if (!handler)
    return bury(std::move(x), fault(ec::unsupported, "no handler for this routing key"));
  auto effect = handler->read(x.message);
  if (!effect)
    return retryable(effect.error()) ? hold(std::move(x)) : bury(std::move(x), effect.error());
  if (effect->ask)
    return ask(std::move(x), *effect);
  if (effect->events.empty())
    return done(x.ref, x.weight);
  groups.push_back({x.message.id, x.message.digest, {}, std::move(effect->events)});
  batch.push_back(std::move(x));
}

/// Whoever keeps machines knows a message that comes again, so the journal need not.
void inbound_desk::take_news(entry x, entries& batch, std::vector<append_group>& groups) {
  auto& counts = (*parts_.feeds)[x.from->feed->place];
  auto news = read_pulse(*x.from->feed, x.message);
  // What waited for the journal comes here again.
  auto first = !std::exchange(x.counted, true);
  auto strange = news && news->ignored == "exchange"; // Others could make up any name.
  if (first)
    ++counts.messages[strange ? "other" : std::string{pulse_kind(x.message.exchange)}];
  if (!news)
    return bury(std::move(x), news.error());
  if (!news->ignored.empty()) {
    ++counts.ignored[std::string{news->ignored}];
    return done(x.ref, x.weight);
  }
  counts.recovered += first && news->recovered ? 1 : 0;
  counts.seen += first ? 1 : 0;
  counts.lag = troupe::now() - news->what.at;
  groups.emplace_back().events.push_back({machine_seen::topic, news->what.at, pack(news->what)});
  batch.push_back(std::move(x));
}

void inbound_desk::append(entries batch, std::vector<append_group> groups) {
  auto to = parts_.roles->journal ? parts_.roles->journal() : journal_actor{};
  if (!to)
    return refused(batch, fault(ec::unavailable, "the journal role is absent"));
  auto kept = std::make_shared<entries>(std::move(batch));
  parts_.self->request(to, parts_.options->request_limit, append_events{{}, 0, std::move(groups)})
    .then(
      [this, kept](const append_results& reply) {
        appended(*kept, reply);
        flush();
      },
      [this, kept](const caf::error& why) {
        refused(*kept, why);
        flush();
      });
}

void inbound_desk::appended(entries& batch, const append_results& reply) {
  backoff_ = {};
  journal_away_ = false;
  auto again = entries{};
  for (auto i = size_t{0}; i < batch.size(); ++i) {
    auto& x = batch[i];
    auto outcome =
      i < reply.results.size() ? reply.results[i].outcome : append_outcome::conflicting;
    if (outcome == append_outcome::stored) {
      ++parts_.counts->stored;
      done(x.ref, x.weight);
    } else if (outcome == append_outcome::conflicting && rename(x)) {
      again.push_back(std::move(x));
    } else if (outcome == append_outcome::repeated || x.by_hash) {
      ++parts_.counts->repeated;
      done(x.ref, x.weight);
    } else {
      bury(std::move(x), fault(ec::conflict, "the message id came before with another body"));
    }
  }
  if (!again.empty())
    decide(std::move(again), batch_groups);
}

/// Two messages without ids may be equal and both be meant; only when the broker says
/// that it has sent one before is the second one a repeat. Each came with a number of its own
/// in place of a digest, so what was only tried twice is no second message.
bool inbound_desk::rename(entry& x) const {
  if (!x.by_hash || x.renamed || x.message.redelivered)
    return false;
  x.renamed = true;
  x.message.id += '+' + random_token();
  return true;
}

void inbound_desk::refused(entries& batch, const caf::error& why) {
  if (retryable(why)) {
    journal_away_ = true;
    for (auto& x : batch)
      hold(std::move(x));
  } else if (batch.size() == 1) {
    bury(std::move(batch.front()), why);
  } else {
    // One of them is at fault; alone it is found.
    decide(std::move(batch), 1);
  }
}

void inbound_desk::ask(entry x, const inbound_effect& effect) {
  auto kept = std::make_shared<entry>(std::move(x));
  auto settle = [this, kept](const caf::expected<inbound_outcome>& outcome) {
    asked(std::move(*kept), outcome);
    flush();
  };
  effect.ask({parts_.self, *parts_.roles, parts_.options->request_limit, settle});
}

void inbound_desk::asked(entry x, const caf::expected<inbound_outcome>& outcome) {
  auto equal_came = !outcome && x.by_hash && outcome.error() == ec::conflict
                    && explain(outcome.error()).place == "request_id";
  if (equal_came && rename(x)) {
    auto again = entries{};
    again.push_back(std::move(x));
    return decide(std::move(again), 1);
  }
  if (!outcome && !equal_came)
    return retryable(outcome.error()) ? hold(std::move(x)) : bury(std::move(x), outcome.error());
  backoff_ = {};
  if (outcome && *outcome == inbound_outcome::early)
    return wait_for_subject(std::move(x));
  auto stored = outcome && *outcome == inbound_outcome::stored;
  ++(stored ? parts_.counts->stored : parts_.counts->repeated);
  done(x.ref, x.weight);
}

void inbound_desk::hold(entry x) {
  ++parts_.counts->retries;
  if (held_.empty()) {
    backoff_ = std::clamp(backoff_ * 2, first_backoff, longest_backoff);
    retry_at_ = now_ + backoff_;
  }
  held_.push_back(std::move(x));
}

/// Another queue has what this one speaks of, and may be slower. It stays unacknowledged, so
/// that whoever dies meanwhile loses nothing; but not for ever, since it may be of a stranger.
void inbound_desk::wait_for_subject(entry x) {
  if (!std::exchange(x.early, true))
    x.give_up_at = now_ + parts_.options->early_for;
  if (now_ >= x.give_up_at) {
    ++parts_.counts->repeated;
    return done(x.ref, x.weight);
  }
  ++parts_.counts->retries;
  if (early_.empty())
    ask_again_at_ = now_ + early_pause;
  early_.push_back(std::move(x));
}

void inbound_desk::bury(entry x, const caf::error& why) {
  if (x.from->feed) {
    ++(*parts_.feeds)[x.from->feed->place].parse_errors;
    log(log_level::warning, "amqp", "a message of a feed is not as its schema says; it is left out",
        {{"feed", x.from->feed->name},
         {"exchange", x.message.exchange},
         {"key", x.message.routing_key},
         {"error", one_line(why)},
         {"body", x.message.body.substr(0, told_of_body)}});
    return done(x.ref, x.weight);
  }
  log(log_level::info, "amqp", "a message goes to the dead letters",
      {{"queue", x.message.queue},
       {"key", x.message.routing_key},
       {"id", x.message.message_id},
       {"error", one_line(why)}});
  auto handle = ++last_handle_ | letter_bit;
  letters_.emplace(handle, letter{x.ref, x.weight});
  letters_out_.push_back({handle, dead_letter_of(x.message, x.from->dead_letters, why)});
}

void inbound_desk::buried(publish_result result) {
  auto i = letters_.find(result.handle);
  if (i == letters_.end())
    return;
  if (result.outcome != publish_outcome::confirmed && parts_.current(i->second.ref)) {
    // The queue may have been deleted: it is declared again before long.
    log(log_level::error, "amqp", "a dead letter was not taken; it is kept",
        {{"queue", result.what.routing_key}, {"error", result.why}});
    if (unburied_.empty())
      bury_at_ = now_ + bury_pause;
    unburied_.push_back({result.handle, std::move(result.what)});
    return;
  }
  if (result.outcome == publish_outcome::confirmed) {
    ++parts_.counts->poison;
    ++parts_.counts->dead_letters;
  }
  done(i->second.ref, i->second.weight);
  letters_.erase(i);
  flush();
}

void inbound_desk::done(const delivery_ref& ref, size_t weight) {
  --open_;
  settled_.push_back(ref);
  released_ += weight;
}

void inbound_desk::flush() {
  if (!letters_out_.empty())
    parts_.publish(std::exchange(letters_out_, {}));
  if (released_ > 0)
    parts_.release(std::exchange(released_, 0));
  if (!settled_.empty())
    parts_.settle(std::exchange(settled_, {}));
}

void inbound_desk::tick(caf::timespan now) {
  now_ = now;
  if (!unburied_.empty() && now_ >= bury_at_)
    parts_.publish(std::exchange(unburied_, {}));
  auto work = entries{};
  auto due = [&](std::deque<entry>& from) {
    for (auto& x : std::exchange(from, {})) {
      // What the broker delivers again must not be held twice.
      if (parts_.current(x.ref))
        work.push_back(std::move(x));
      else
        done(x.ref, x.weight);
    }
  };
  if (now_ >= ask_again_at_)
    due(early_);
  if (now_ >= retry_at_)
    due(held_);
  decide(std::move(work), batch_groups);
  flush();
}

} // namespace troupe
