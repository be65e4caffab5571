#include "bridges/amqp/options.hpp"

#include "config/log.hpp"
#include "messages/text_rule.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace troupe {

namespace {

using std::chrono::milliseconds;

constexpr auto longest_overtaking = caf::timespan{std::chrono::seconds{30}};

template <class Enum>
void read_word(section& in, const char* key, Enum& out) {
  auto word = std::string{name_of(out)};
  in.read(key, word);
  if (auto known = enum_of<Enum>(word)) {
    out = *known;
    return;
  }
  auto all = std::string{};
  for (auto x : enum_names<Enum>)
    all += (all.empty() ? "" : ", ") + std::string{x};
  in.complain(key, "must be one of " + all);
}

void check_name(section& in, const char* key, const std::string& name) {
  if (name.size() > 255 || !obeys("line", name))
    in.complain(key, "a name has at most 255 bytes and no control characters");
}

exchange_plan read_exchange(section in, std::string name) {
  auto out = exchange_plan{};
  out.name = std::move(name);
  in.read("type", out.type);
  in.read("durable", out.durable);
  in.read("auto_delete", out.auto_delete);
  in.read("internal", out.internal);
  in.read("arguments", out.arguments);
  read_word(in, "declare", out.declare);
  return out;
}

queue_plan read_queue(section in, std::string name) {
  auto out = queue_plan{};
  out.name = std::move(name);
  in.read("type", out.type);
  if (out.type != "classic" && out.type != "quorum" && out.type != "stream")
    in.complain("type", "must be classic, quorum or stream");
  in.read("durable", out.durable);
  if (!out.durable && out.type != "classic")
    in.complain("durable", "a queue of this type is always durable");
  in.read("exclusive", out.exclusive);
  in.read("auto_delete", out.auto_delete);
  in.read("arguments", out.arguments);
  read_word(in, "declare", out.declare);
  auto bindings = in.child("bindings");
  for (const auto& exchange : bindings.keys()) {
    check_name(bindings, exchange.c_str(), exchange);
    auto keys = std::vector<std::string>{};
    bindings.read(exchange.c_str(), keys);
    for (auto& key : keys) {
      check_name(bindings, exchange.c_str(), key);
      out.bindings.push_back({exchange, std::move(key)});
    }
  }
  return out;
}

/// Letters of a queue's name that may stand in a topic.
std::string topic_of(const std::string& queue) {
  auto out = "external." + queue.substr(0, 100);
  for (auto& c : out)
    c = std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-'
          ? static_cast<char>(std::tolower(static_cast<unsigned char>(c)))
          : '_';
  return out;
}

consumed_queue read_consumed(section in, std::string queue, const amqp_options& all) {
  auto out = consumed_queue{};
  out.queue = std::move(queue);
  auto one = std::string{};
  auto many = std::map<std::string, std::string>{};
  in.read("handler", one);
  in.read("handlers", many);
  if (!one.empty())
    many.emplace("#", one);
  if (many.empty())
    in.complain("handler", "name a handler, or handlers by routing key");
  for (const auto& [pattern, name] : many) {
    auto handler = find_inbound_handler(name);
    if (!handler)
      in.complain(one.empty() ? "handlers" : "handler", "there is no handler '" + name + "'");
    out.handlers.emplace_back(pattern, handler);
  }
  out.topic = topic_of(out.queue);
  in.read("topic", out.topic);
  if (!out.topic.starts_with("external.") || out.topic.size() > 120)
    in.complain("topic", "begins with \"external.\" and has at most 120 bytes");
  in.read("prefetch", out.prefetch, 1, 65'535);
  in.read_size("max_body", out.max_body);
  if (out.max_body > (8U << 20))
    in.complain("max_body", "at most 8MiB: an event must fit into one append");
  out.dead_letters = all.dead_letters;
  in.read("dead_letters", out.dead_letters);
  check_name(in, "dead_letters", out.dead_letters);
  return out;
}

published_events read_published(section in) {
  auto out = published_events{};
  in.read("topics", out.topics);
  if (out.topics.empty())
    in.complain("topics", "name topics, or beginnings of topics that end with a dot");
  auto rule = std::string{"record"};
  in.read("rule", rule);
  out.rule = find_outbound_rule(rule);
  if (!out.rule)
    in.complain("rule", "there is no rule '" + rule + "'");
  in.read("exchange", out.exchange);
  in.read("routing_key", out.routing_key);
  check_name(in, "exchange", out.exchange);
  check_name(in, "routing_key", out.routing_key);
  read_word(in, "unroutable", out.otherwise);
  return out;
}

/// Returns a variable of the environment, empty if there is none.
std::string variable(const char* name) {
  auto value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

/// Who we are at Pulse, by the variables of the original. Source: spec/machines.md 2.8.
void read_pulse_user(amqp_endpoint& out) {
  for (auto [name, text] :
       {std::pair{"PULSE_VHOST", &out.vhost}, {"AMQP_USER", &out.user}, {"AMQP_PASS", &out.password}})
    if (auto value = variable(name); !value.empty())
      *text = std::move(value);
}

/// Returns where Pulse is if nobody says otherwise.
std::string pulse_url() {
  auto host = variable("PULSE_HOST");
  auto port = variable("PULSE_PORT");
  return "amqps://" + (host.empty() ? "pulse.mozilla.org" : host) + ':'
         + (port.empty() ? "5671" : port);
}

/// Addresses, and who we are there.
void read_brokers(section& in, link_options& out) {
  auto standard = amqp_endpoint{};
  if (in.has("pulse"))
    read_pulse_user(standard);
  in.read("user", standard.user);
  in.read_secret("password", standard.password);
  in.read("vhost", standard.vhost);
  auto texts = std::vector<std::string>{};
  in.read("urls", texts);
  for (const auto& text : texts)
    if (text.substr(0, text.rfind('@')).rfind(':') > text.find("//") + 1
        && text.find('@') != std::string::npos)
      in.complain("urls", "a password is never written here; use url_file or url_env");
  auto secret = std::string{};
  in.read_secret("url", secret);
  if (!secret.empty())
    texts.push_back(std::move(secret));
  // What the services of the first pipeline are told by.
  if (auto legacy = std::getenv("QUEUE_URL");
      texts.empty() && !in.has("pulse") && legacy && *legacy)
    texts.emplace_back(legacy);
  if (texts.empty())
    texts.push_back(in.has("pulse") ? pulse_url() : "127.0.0.1");
  for (const auto& text : texts) {
    auto to = parse_amqp_url(text, standard);
    if (!to) {
      in.complain("urls", one_line(to.error()));
      continue;
    }
    if (to->password != "guest")
      mask_in_log(to->password);
    out.brokers.push_back(std::move(*to));
  }
}

void read_tls(section in, session_options& out) {
  in.read("ca_file", out.ca_file);
  in.read("certificate_file", out.certificate_file);
  in.read("key_file", out.key_file);
  if (out.certificate_file.empty() != out.key_file.empty())
    in.complain("key_file", "certificate_file and key_file go together");
}

void read_link(section& in, link_options& out) {
  read_brokers(in, out);
  read_tls(in.child("tls"), out.how);
  auto heartbeat = milliseconds{out.how.heartbeat};
  in.read("heartbeat", heartbeat);
  out.how.heartbeat = std::chrono::duration_cast<std::chrono::seconds>(heartbeat);
  if (out.how.heartbeat < std::chrono::seconds{1} || out.how.heartbeat > std::chrono::seconds{600})
    in.complain("heartbeat", "must be between 1s and 10m");
  in.read("connect_limit", out.how.connect_limit);
  in.read("call_limit", out.how.call_limit);
  in.read("first_backoff", out.first_backoff);
  in.read("longest_backoff", out.longest_backoff);
}

/// Whether tasks of outside distributors are taken in: reports of them may come first.
bool takes_tasks(const amqp_options& x) {
  for (const auto& queue : x.consume)
    for (const auto& [_, handler] : queue.handlers)
      if (handler != nullptr && handler->name == "ebs_task")
        return true;
  return false;
}

void read_span(section& in, const char* key, caf::timespan& out) {
  auto value = std::chrono::duration_cast<milliseconds>(out);
  in.read(key, value);
  out = value;
}

} // namespace

topology read_topology(section& in) {
  auto out = topology{};
  auto exchanges = in.child("exchanges");
  for (const auto& name : exchanges.keys()) {
    check_name(exchanges, name.c_str(), name);
    out.exchanges.push_back(read_exchange(exchanges.child(name.c_str()), name));
  }
  auto queues = in.child("queues");
  for (const auto& name : queues.keys()) {
    check_name(queues, name.c_str(), name);
    out.queues.push_back(read_queue(queues.child(name.c_str()), name));
  }
  return out;
}

std::vector<std::string> amqp_options::dead_letter_queues() const {
  auto out = std::set<std::string>{};
  for (const auto& x : consume)
    if (!x.feed)
      out.insert(x.dead_letters);
  // Who only listens to others makes nothing there.
  if (!publish.empty() || !out.empty() || consume.empty())
    out.insert(dead_letters);
  return {out.begin(), out.end()};
}

amqp_options read_amqp_options(section& in, const std::string& node) {
  auto out = amqp_options{};
  out.consumer = "amqp@" + node;
  read_link(in, out.link);
  out.link.how.name = "troupe " + node;
  out.plan = read_topology(in);
  in.read("dead_letters", out.dead_letters);
  check_name(in, "dead_letters", out.dead_letters);
  in.read("dead_letters_type", out.dead_letters_type);
  if (out.dead_letters_type != "classic" && out.dead_letters_type != "quorum")
    in.complain("dead_letters_type", "must be classic or quorum");
  auto consume = in.child("consume");
  for (const auto& queue : consume.keys()) {
    check_name(consume, queue.c_str(), queue);
    out.consume.push_back(read_consumed(consume.child(queue.c_str()), queue, out));
    out.consuming.subscriptions.push_back({queue, out.consume.back().prefetch});
  }
  read_pulse_feeds(in.child("pulse"), out);
  in.read_size("most_bytes", out.consuming.most_bytes);
  in.read("deaf_after", out.consuming.deaf_after);
  in.read("refresh", out.consuming.refresh);
  auto publish = in.child("publish");
  for (const auto& name : publish.keys())
    out.publish.push_back(read_published(publish.child(name.c_str())));
  read_word(in, "publish_from", out.publish_from);
  in.read("window", out.publishing.window, 1, 65'535);
  read_span(in, "retry_for", out.retry_for);
  read_span(in, "request_limit", out.request_limit);
  read_span(in, "drain_limit", out.drain_limit);
  read_span(in, "replay_for", out.replay_for);
  if (out.replay_for < milliseconds{1} || out.replay_for > std::chrono::seconds{50})
    in.complain("replay_for", "must be between 1ms and 50s");
  if (takes_tasks(out))
    out.early_for = longest_overtaking;
  read_span(in, "early_for", out.early_for);
  if (out.early_for < caf::timespan{0} || out.early_for > std::chrono::minutes{10})
    in.complain("early_for", "must be at most 10m: a broker ends what is not acknowledged");
  return out;
}

} // namespace troupe
