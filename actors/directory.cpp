#include "actors/directory.hpp"

namespace troupe {

void directory::assign(std::string_view role, caf::strong_actor_ptr who) {
  {
    auto guard = std::lock_guard{mutex_};
    if (who)
      slots_.insert_or_assign(std::string{role}, std::move(who));
    else if (auto i = slots_.find(role); i != slots_.end())
      slots_.erase(i);
  }
  tell();
}

void directory::withdraw(std::string_view role, const caf::strong_actor_ptr& who) {
  {
    auto guard = std::lock_guard{mutex_};
    auto i = slots_.find(role);
    if (i == slots_.end() || i->second != who)
      return;
    slots_.erase(i);
  }
  tell();
}

void directory::watch(std::function<void()> changed) {
  auto guard = std::lock_guard{mutex_};
  changed_ = std::move(changed);
}

void directory::tell() const {
  auto changed = std::function<void()>{};
  {
    auto guard = std::lock_guard{mutex_};
    changed = changed_;
  }
  if (changed)
    changed();
}

std::vector<std::string> directory::roles() const {
  auto guard = std::lock_guard{mutex_};
  auto out = std::vector<std::string>{};
  for (const auto& [name, _] : slots_)
    out.push_back(name);
  return out;
}

caf::strong_actor_ptr directory::lookup(std::string_view role) const {
  auto guard = std::lock_guard{mutex_};
  auto i = slots_.find(role);
  return i == slots_.end() ? caf::strong_actor_ptr{} : i->second;
}

} // namespace troupe
