#include "actors/runners/docker/docker_driver.hpp"

#include <algorithm>

namespace troupe {

namespace {

void read_limits(section& in, container_limits& out) {
  in.read_size("memory", out.memory);
  in.read("cpus", out.cpus, 0.1, 1024);
  in.read("pids", out.pids, 16, 4'194'304);
  in.read("open_files", out.open_files, 64, 1'048'576);
  in.read("processes", out.processes, 64, 4'194'304);
  in.read("network", out.network);
  in.read("drop_capabilities", out.drop_capabilities);
  in.read("no_new_privileges", out.no_new_privileges);
  constexpr auto networks = std::array<std::string_view, 3>{"bridge", "none", "host"};
  if (std::find(networks.begin(), networks.end(), out.network) == networks.end())
    in.complain("network", "must be bridge, none or host");
  constexpr auto least_memory = uint64_t{16} << 20;
  if (out.memory < least_memory)
    in.complain("memory", "must be at least 16MiB");
}

void read_images(section& in, image_options& out) {
  auto policy = std::string{name_of(out.policy)};
  in.read("image_policy", policy);
  if (auto word = enum_of<image_policy>(policy))
    out.policy = *word;
  else
    in.complain("image_policy", "must be missing, always or never");
  in.read("image_pattern", out.pattern);
  in.read("images", out.images);
  in.read("pull_limit", out.pull_limit);
}

} // namespace

void read_options(section& in, docker_options& out) {
  in.read("socket", out.socket);
  in.read_size("min_free_disk", out.min_free_disk);
  read_images(in, out.images);
  auto limits = in.child("limits");
  read_limits(limits, out.limits);
  auto test = in.child("test");
  read_options(test, out.test);
}

caf::expected<runner_driver_ptr> make_docker_runner(section& options,
                                                    const driver_context& context) {
  auto wanted = docker_options{};
  if (!context.data_folder.empty())
    wanted.test.work_folder = context.data_folder;
  read_options(options, wanted);
  if (auto why = options.done())
    return why;
  return runner_driver_ptr{std::make_shared<docker_driver>(std::move(wanted), context.runner)};
}

} // namespace troupe
