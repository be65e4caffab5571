#include "bridges/amqp/pulse_document.hpp"
#include "bridges/amqp/pulse_feed.hpp"

#include <rapidjson/error/en.h>

#include <algorithm>

namespace troupe {

namespace {

constexpr auto pool_size = size_t{256}; ///< Bytes of a worker pool's id: two names and a slash.
constexpr auto highest_run = uint32_t{1'000'000};

bool is_one_of(const std::vector<std::string>& all, std::string_view x) {
  return std::find(all.begin(), all.end(), x) != all.end();
}

/// Returns why a feed does not want the machines of these; empty if it does.
std::string_view unwanted(const pulse_feed& feed, const machine_seen& x) {
  if (!is_one_of(feed.provisioners, x.provisioner))
    return "provisioner";
  if (!feed.worker_types.empty() && !is_one_of(feed.worker_types, x.worker_type))
    return "worker_type";
  return {};
}

/// Fills in the machine from the message or, if that does not say, from the run.
/// Returns whether there is one.
bool find_machine(const pulse_value& body, const pulse_value& run, pulse_news& out) {
  auto group = body.member("workerGroup");
  auto host = body.member("workerId");
  if (!group || !host) {
    group = run.member("workerGroup");
    host = run.member("workerId");
    out.recovered = group && host;
  }
  if (!group || !host)
    return false;
  out.what.machine =
    to_machine_id(group.needed_text(machine_name_size + 1), host.needed_text(machine_name_size + 1));
  auto parts = split_machine_id(out.what.machine);
  if (!parts || parts->second.find(':') != std::string_view::npos)
    group.complain("with the worker's id it is no name of a machine");
  return true;
}

/// Source: spec/machines.md 2.5, message schemas and "Liveness rule per message".
void read_task(const pulse_feed& feed, const pulse_value& body, machine_sign kind,
               pulse_news& out) {
  auto& what = out.what;
  auto status = body.member("status");
  if (!status)
    return status.complain("is required");
  what.provisioner = status.member("provisionerId").needed_text(machine_word_size);
  what.worker_type = status.member("workerType").needed_text(machine_word_size);
  out.ignored = unwanted(feed, what);
  if (!out.ignored.empty())
    return;
  what.task = status.member("taskId").needed_text(machine_word_size);
  auto number = body.member("runId").number();
  if (number && *number > highest_run)
    return body.member("runId").complain("is too large");
  auto run = status.member("runs").run(number);
  if (!find_machine(body, run, out)) {
    // The queue ends runs that no worker has claimed.
    if (kind != machine_sign::exception)
      body.member("workerGroup").complain("is required");
    out.ignored = "unclaimed";
    return;
  }
  if (!run)
    return status.member("runs").complain("the run of the message is not there");
  what.run = number.value_or(run.member("runId").number().value_or(0));
  what.state = run.member("state").text(machine_word_size);
  what.reason = run.member("reasonResolved").text(machine_word_size);
  auto taken = body.member("takenUntil");
  what.taken_until = taken ? taken.time() : run.member("takenUntil").time();
  what.started = run.member("started").time();
  what.resolved = run.member("resolved").time();
  what.deadline = status.member("deadline").time();
  // The schema lets both be left out; the claim's begin is told by nothing else.
  auto end = what.resolved != caf::timestamp{} ? what.resolved : what.started;
  what.at = kind == machine_sign::running ? what.started : end;
  if (what.at == caf::timestamp{})
    what.at = run.member("scheduled").needed_time();
}

void read_worker(const pulse_feed& feed, const pulse_value& body, pulse_news& out) {
  auto& what = out.what;
  auto pool = body.member("workerPoolId").needed_text(pool_size);
  auto slash = pool.find('/');
  if (slash == std::string::npos)
    return body.member("workerPoolId").complain("must be provisioner/worker type");
  what.provisioner = pool.substr(0, slash);
  what.worker_type = pool.substr(slash + 1).substr(0, machine_word_size);
  out.ignored = unwanted(feed, what);
  if (!out.ignored.empty())
    return;
  if (!find_machine(body, body.member("worker"), out)) {
    out.ignored = "no_worker"; // A pool's own trouble.
    return;
  }
  out.recovered = false;
  what.pool = body.member("providerId").text(machine_word_size);
  auto reason = body.member("reason");
  what.reason = (reason ? reason : body.member("kind")).text(machine_word_size);
  what.at = body.member("timestamp").needed_time();
}

std::optional<machine_sign> sign_of(std::string_view kind) {
  if (kind.starts_with("task-"))
    kind.remove_prefix(5);
  else if (kind == "worker-pool-error")
    return machine_sign::worker_error;
  else if (std::find(std::begin(pulse_worker_kinds), std::end(pulse_worker_kinds), kind)
           == std::end(pulse_worker_kinds))
    return std::nullopt;
  auto out = enum_of<machine_sign>(kind);
  auto heard = out
               && (*out == machine_sign::running || *out == machine_sign::completed
                   || *out == machine_sign::failed || *out == machine_sign::exception
                   || kind.starts_with("worker-"));
  return heard ? out : std::nullopt;
}

} // namespace

std::string_view pulse_kind(std::string_view exchange) {
  auto slash = exchange.rfind('/');
  return slash == std::string_view::npos ? exchange : exchange.substr(slash + 1);
}

std::string pulse_binding(std::string_view provisioner, std::string_view kind) {
  auto name = std::string{provisioner};
  // primary.<task>.<run>.<group>.<worker>.<provisioner>.<type>.<scheduler>.<task group>.<reserved>
  if (kind.starts_with("task-"))
    return "primary.*.*.*.*." + name + ".*.*.*.#";
  // primary.<provider>.<provisioner>.<type>.<group>.<worker>.<launch config>.<reserved>
  return "primary.*." + name + ".#";
}

caf::expected<pulse_news> read_pulse(const pulse_feed& feed, const inbound_message& message) {
  auto out = pulse_news{};
  auto kind = sign_of(pulse_kind(message.exchange));
  if (!kind) {
    out.ignored = "exchange";
    return out;
  }
  // Without recursion: a body may nest as deep as it is long.
  constexpr auto flags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  char pool[8 << 10];
  auto memory = rapidjson::MemoryPoolAllocator<>{pool, sizeof pool};
  auto body = rapidjson::Document{&memory};
  body.Parse<flags>(message.body.data(), message.body.size());
  if (body.HasParseError())
    return fault_at(ec::invalid_argument, "byte " + std::to_string(body.GetErrorOffset()),
                    rapidjson::GetParseError_En(body.GetParseError()));
  auto wrong = caf::error{};
  auto all = pulse_value{&body, {}, wrong};
  out.what.kind = *kind;
  out.what.source = feed.name;
  if (pulse_kind(message.exchange).starts_with("task-"))
    read_task(feed, all, *kind, out);
  else
    read_worker(feed, all, out);
  if (wrong)
    return wrong;
  return out;
}

} // namespace troupe
