#include "tests/support/scripted_environment.hpp"

#include <algorithm>

namespace troupe::tests {

namespace {

std::string joined(const std::vector<std::string>& words) {
  auto out = std::string{};
  for (const auto& word : words)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

} // namespace

void scripted_machine::add_file(const std::string& path, std::string bytes) {
  auto entry = archive_entry{};
  entry.path = path.substr(path.rfind('/') + 1);
  entry.size = bytes.size();
  entry.bytes = std::move(bytes);
  readable[path] = {std::move(entry)};
}

std::vector<std::string> scripted_machine::lines() const {
  auto out = std::vector<std::string>{};
  for (const auto& one : commands)
    out.push_back(joined(one.argv));
  return out;
}

command scripted_machine::find(std::string_view text) const {
  auto i = std::find_if(commands.begin(), commands.end(), [text](const command& one) {
    return joined(one.argv).find(text) != std::string::npos;
  });
  return i == commands.end() ? command{} : *i;
}

command_result scripted_environment::exec(const command& what, std::stop_token stop,
                                          const std::function<void(int, std::string_view)>& out) {
  auto& m = *machine_;
  m.commands.push_back(what);
  auto line = joined(what.argv);
  auto answer = std::find_if(m.answers.begin(), m.answers.end(), [&line](const auto& one) {
    return line.find(one.when) != std::string::npos;
  });
  if (answer == m.answers.end())
    return {};
  if (answer->then)
    answer->then();
  if (!answer->out.empty())
    out(1, answer->out);
  if (!answer->err.empty())
    out(2, answer->err);
  if (stop.stop_requested())
    return {command_result::end::canceled, 137, false, {}};
  return {answer->how, answer->exit_code, answer->out_of_memory, "scripted"};
}

caf::error scripted_environment::put(const std::vector<environment_file>& files) {
  for (const auto& file : files)
    machine_->files[file.path] = file;
  return machine_->put_fault;
}

caf::error scripted_environment::get(const std::string& path, uint64_t bytes_per_file,
                                     const std::function<bool(const archive_entry&)>& each) {
  auto found = machine_->readable.find(path);
  if (found == machine_->readable.end())
    return fault(ec::not_found, path);
  for (auto entry : found->second) {
    entry.bytes.resize(std::min<size_t>(entry.bytes.size(), bytes_per_file));
    if (!each(entry))
      break;
  }
  return {};
}

caf::error scripted_environment::destroy() {
  machine_->destroyed = true;
  return machine_->destroy_fault;
}

} // namespace troupe::tests
