#include "bridges/http/revocation_list.hpp"

#include "config/log.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>

namespace troupe {

revocation_list::stamp revocation_list::stamp_of(const std::string& path) {
  struct stat is {};
  if (::stat(path.c_str(), &is) != 0)
    return {};
  return {is.st_mtim.tv_sec, is.st_mtim.tv_nsec, is.st_size, is.st_ino};
}

bool revocation_list::read() {
  auto in = std::ifstream{path_};
  auto ids = std::unordered_set<std::string>{};
  for (auto line = std::string{}; std::getline(in, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    auto end = line.find_last_not_of(" \t\r");
    auto begin = line.find_first_not_of(" \t");
    if (end != line.npos)
      ids.insert(line.substr(begin, end - begin + 1));
  }
  if (!in.eof())
    return false;
  ids_ = std::move(ids);
  return true;
}

caf::error revocation_list::load() {
  if (path_.empty())
    return caf::none;
  auto lock = std::lock_guard{mutex_};
  read_ = stamp_of(path_);
  if (!read())
    return fault_at(ec::invalid_config, path_, "the list of revoked tokens cannot be read");
  return caf::none;
}

bool revocation_list::contains(const std::string& token_id) {
  if (path_.empty())
    return false;
  auto lock = std::lock_guard{mutex_};
  auto now = std::chrono::steady_clock::now();
  if (now >= next_look_) {
    next_look_ = now + std::chrono::seconds{1};
    // The stamp is taken first: a write in between is then seen at the next look.
    if (auto is = stamp_of(path_); is != read_) {
      read_ = is;
      if (!read())
        log(log_level::error, "http", "the list of revoked tokens cannot be read",
            {{"file", path_}});
    }
  }
  return ids_.count(token_id) > 0;
}

} // namespace troupe
