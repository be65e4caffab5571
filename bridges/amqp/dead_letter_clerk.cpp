#include "bridges/amqp/dead_letter_clerk.hpp"

#include "bridges/amqp/dead_letter_box.hpp"

namespace troupe {

namespace {

/// Returns the name of the queue that is meant.
caf::expected<std::string> queue_of(const amqp_options& options, const std::string& name) {
  auto all = options.dead_letter_queues();
  if (name.empty() && all.size() == 1)
    return all.front();
  if (name.empty())
    return fault_at(ec::invalid_argument, "queue", "there are several: name one");
  if (std::find(all.begin(), all.end(), name) == all.end())
    return fault_at(ec::not_found, "queue", "no dead-letter queue " + name);
  return name;
}

template <class Reply, class F>
caf::result<Reply> with_box(const amqp_options& options, const std::string& name, F f) {
  auto queue = queue_of(options, name);
  if (!queue)
    return std::move(queue.error());
  auto box = dead_letter_box::open(options.link);
  if (!box)
    return std::move(box.error());
  auto out = f(*box, *queue);
  if (!out)
    return std::move(out.error());
  return std::move(*out);
}

caf::result<dead_letter_queues> list(const amqp_options& options) {
  auto box = dead_letter_box::open(options.link);
  if (!box)
    return std::move(box.error());
  auto out = dead_letter_queues{};
  for (const auto& name : options.dead_letter_queues()) {
    auto x = box->look(name);
    if (!x)
      return std::move(x.error());
    out.queues.push_back(std::move(*x));
  }
  return out;
}

} // namespace

caf::behavior dead_letter_clerk(caf::event_based_actor* self, amqp_options options) {
  return {
    [=](const list_dead_letters&) -> caf::result<dead_letter_queues> {
      self->quit();
      return list(options);
    },
    [=](const peek_dead_letters& what) -> caf::result<dead_letter_list> {
      self->quit();
      return with_box<dead_letter_list>(
        options, what.queue,
        [&](dead_letter_box& box, const std::string& queue) { return box.peek(queue, what.max); });
    },
    [=](const replay_dead_letters& what) -> caf::result<dead_letters_moved> {
      self->quit();
      return with_box<dead_letters_moved>(options, what.queue,
                                          [&](dead_letter_box& box, const std::string& queue) {
                                            return box.replay(queue, what.max, options.replay_for);
                                          });
    },
    [=](const purge_dead_letters& what) -> caf::result<dead_letters_moved> {
      self->quit();
      return with_box<dead_letters_moved>(
        options, what.queue,
        [&](dead_letter_box& box, const std::string& queue) { return box.purge(queue); });
    },
  };
}

} // namespace troupe
