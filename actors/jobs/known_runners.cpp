#include "actors/jobs/known_runners.hpp"

#include "actors/jobs/lane.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// A runner repeats only its latest claims; more would only cost memory.
constexpr auto claims_kept = size_t{32};
constexpr auto old_boots_kept = size_t{8};

} // namespace

bool known_runner::was(std::string_view boot) const {
  return std::find(old_boots.begin(), old_boots.end(), boot) != old_boots.end();
}

void known_runner::begin(const std::string& boot, const std::string& of) {
  if (!of.empty())
    node = of;
  if (status.boot == boot)
    return;
  if (!status.boot.empty() && !was(status.boot))
    old_boots.push_back(status.boot);
  std::erase(old_boots, boot);
  if (old_boots.size() > old_boots_kept)
    old_boots.pop_front();
  status.boot = boot;
}

void known_runner::load_boot(const std::string& boot, const std::string& of, uint64_t sequence) {
  if (boot != status.boot && sequence < boot_sequence) {
    if (!was(boot) && old_boots.size() < old_boots_kept)
      old_boots.push_front(boot);
    return;
  }
  begin(boot, of);
  boot_sequence = std::max(boot_sequence, sequence);
}

void known_runner::remember(const std::string& nonce, run_key run, uint64_t sequence) {
  auto same =
    std::find_if(claims.rbegin(), claims.rend(), [&](const auto& x) { return x.nonce == nonce; });
  if (same != claims.rend()) {
    same->runs.push_back(run);
    return;
  }
  auto later = std::find_if(claims.rbegin(), claims.rend(),
                            [&](const auto& x) { return x.sequence <= sequence; });
  claims.insert(later.base(), {nonce, sequence, {run}});
  if (claims.size() > claims_kept)
    claims.pop_front();
}

const answered_claim* known_runner::claim_of(std::string_view nonce) const {
  for (const auto& x : claims)
    if (x.nonce == nonce)
      return &x;
  return nullptr;
}

known_runner& known_runners::at(const std::string& name) {
  if (auto i = all_.find(name); i != all_.end())
    return i->second;
  if (all_.size() >= options_.max_runners)
    forget_one(name);
  auto& made = all_[name];
  made.status.runner = name;
  return made;
}

known_runner* known_runners::find(std::string_view name) {
  auto i = all_.find(name);
  return i == all_.end() ? nullptr : &i->second;
}

const known_runner* known_runners::find(std::string_view name) const {
  auto i = all_.find(name);
  return i == all_.end() ? nullptr : &i->second;
}

void known_runners::forget_one(const std::string& keep) {
  auto oldest = all_.end();
  for (auto i = all_.begin(); i != all_.end(); ++i)
    if (i->second.running.empty() && i->first != keep
        && (oldest == all_.end() || i->second.heard < oldest->second.heard))
      oldest = i;
  if (oldest != all_.end())
    all_.erase(oldest);
}

bool known_runners::serves(const known_runner& who, const lane& way) {
  const auto& queues = who.status.queues;
  const auto& offered = who.status.capabilities;
  const auto& asked = way.capabilities();
  return std::find(queues.begin(), queues.end(), way.queue().name) != queues.end()
         && std::includes(offered.begin(), offered.end(), asked.begin(), asked.end());
}

bool known_runners::another_serves(const lane& way, std::string_view name, moment now) const {
  return std::any_of(all_.begin(), all_.end(), [&](const auto& x) {
    return x.first != name && ready(x.second, now) && serves(x.second, way);
  });
}

bool known_runners::ever_served(const lane& way) const {
  return std::any_of(all_.begin(), all_.end(),
                     [&](const auto& x) { return x.second.seen && serves(x.second, way); });
}

uint64_t known_runners::slots(const std::string& queue, moment now) const {
  auto sum = uint64_t{0};
  for (const auto& [name, who] : all_) {
    const auto& queues = who.status.queues;
    if (ready(who, now) && std::find(queues.begin(), queues.end(), queue) != queues.end())
      sum += who.status.slots;
  }
  return sum;
}

runner_list known_runners::list(moment now) const {
  auto out = runner_list{};
  for (const auto& [name, who] : all_)
    if (who.seen) {
      out.runners.push_back(who.status);
      out.runners.back().live = live(who, now);
    }
  return out;
}

} // namespace troupe
