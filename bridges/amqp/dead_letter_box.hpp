#pragma once

#include "bridges/amqp/inbound_message.hpp"
#include "bridges/amqp/link.hpp"
#include "bridges/amqp/outbound_rule.hpp"
#include "messages/amqp.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// The dead-letter queues of a broker over one connection. Every call blocks, within the
/// limits of the connection's options.
///
/// Threads: one.
class dead_letter_box {
public:
  /// Connects to the first broker that answers. Errors: those of the last one.
  static caf::expected<dead_letter_box> open(const link_options& options);

  caf::expected<dead_letter_queue> look(const std::string& queue);
  caf::expected<dead_letter_list> peek(const std::string& queue, uint32_t most);
  /// Publishes the letters that were there when it began; each is removed when the broker
  /// has confirmed its copy. One that finds no queue goes to the end of its own, so that the next
  /// call begins with those that this one has not seen. After `limit` it begins no further one.
  caf::expected<dead_letters_moved> replay(const std::string& queue, uint32_t most,
                                           caf::timespan limit);
  caf::expected<dead_letters_moved> purge(const std::string& queue);

private:
  struct letter {
    uint64_t tag = 0;
    inbound_message message;
  };

  explicit dead_letter_box(std::unique_ptr<session> at) : at_{std::move(at)} {}
  /// Returns nothing at the queue's end.
  caf::expected<std::optional<letter>> next(const std::string& queue);
  /// Returns whether the broker has put it into a queue.
  caf::expected<bool> publish(const publication& what);
  /// As above; an exchange that is gone is no error. Errors: the connection is of no more use.
  caf::expected<bool> deliver(const std::optional<publication>& what);
  caf::error open_sending();
  caf::expected<amqp_frame_t> await_frame(uint16_t channel);

  std::unique_ptr<session> at_;
};

/// Returns the message that a letter was made of, bound for where it was on its way to; nothing
/// if the letter does not say.
std::optional<publication> message_of_letter(const inbound_message& letter);

/// Returns the letter as it is, bound for the end of its queue.
publication copy_of_letter(const inbound_message& letter, const std::string& queue);

/// Returns the letter for people.
dead_letter read_letter(const inbound_message& in);

} // namespace troupe
