#include "actors/runners/docker/container_order.hpp"

#include <cmath>

namespace troupe {

std::string container_name(const run_key& run) {
  return "troupe-" + to_string(run.job) + "-" + std::to_string(run.run_id);
}

std::string_view main_pid_file() {
  return "/run/troupe-main.pid";
}

json create_body(const container_order& order) {
  using namespace std::chrono;
  auto deadline = duration_cast<seconds>(order.deadline.time_since_epoch()).count();
  const auto& limits = order.limits;
  auto variables = std::vector<std::string>{"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"};
  variables.insert(variables.end(), order.variables.begin(), order.variables.end());
  // The main process only keeps the container alive; it ends on its own some time
  // after the deadline, so that even without a reaper nothing runs for ever.
  auto idle = std::max<int64_t>(
    60, deadline - duration_cast<seconds>(system_clock::now().time_since_epoch()).count() + 300);
  auto main = "echo $$ >" + std::string{main_pid_file()} + "; exec sleep " + std::to_string(idle);
  auto rlimit = [](const char* name, int64_t value) {
    return json{{"Name", name}, {"Soft", value}, {"Hard", value}};
  };
  auto host = json{
    {"Init", true},
    {"AutoRemove", false},
    {"NetworkMode", limits.network},
    {"Memory", limits.memory},
    {"MemorySwap", limits.memory},
    {"NanoCpus", static_cast<int64_t>(std::llround(limits.cpus * 1e9))},
    {"PidsLimit", limits.pids},
    {"Ulimits",
     json::array({rlimit("nofile", limits.open_files), rlimit("nproc", limits.processes)})},
    {"CapDrop", limits.drop_capabilities},
    {"Privileged", false},
    {"RestartPolicy", {{"Name", "no"}}},
  };
  if (limits.no_new_privileges)
    host["SecurityOpt"] = json::array({"no-new-privileges"});
  return {
    {"Image", order.image},
    {"Entrypoint", json::array()},
    {"Cmd", json::array({"sh", "-c", main})},
    {"User", "0:0"},
    {"Env", variables},
    {"Labels",
     {{"troupe", "1"},
      {"troupe.runner", order.runner},
      {"troupe.job", to_string(order.run.job)},
      {"troupe.run", std::to_string(order.run.run_id)},
      {"troupe.deadline", std::to_string(deadline)}}},
    {"Tty", false},
    {"OpenStdin", false},
    {"StopSignal", "SIGKILL"},
    {"StopTimeout", 1},
    {"HostConfig", host},
  };
}

} // namespace troupe
