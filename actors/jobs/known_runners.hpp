#pragma once

#include "actors/jobs/job_slot.hpp"
#include "actors/jobs/ledger_options.hpp"
#include "messages/run.hpp"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The runs that one claim was answered with.
struct answered_claim {
  std::string nonce;
  uint64_t sequence = 0; ///< Of its first run in the journal; the largest number while live.
  std::vector<run_key> runs;
};

/// A runner that the ledger has heard of.
struct known_runner {
  runner_status status;  ///< `capabilities` sorted.
  caf::timespan heard{}; ///< Tick of its last sign of life.
  bool seen = false;     ///< False while it is known from the journal only.
  std::string node;      ///< Whose runner it is; empty = not known.
  std::set<job_slot*> running;
  uint64_t boot_sequence = 0;        ///< Of the latest loaded run of the present boot.
  std::deque<std::string> old_boots; ///< The latest; what comes from them is late.
  std::deque<answered_claim> claims; ///< The latest, for repeated nonces; in order of `sequence`.

  /// Makes `boot` the present one, on that node.
  void begin(const std::string& boot, const std::string& node);
  /// Learns a boot from a stored run: stored jobs come in no order of time, and
  /// the boot of the latest run is the present one.
  void load_boot(const std::string& boot, const std::string& node, uint64_t sequence);
  bool was(std::string_view boot) const;
  /// Whether it is known to be another node's.
  bool belongs_elsewhere(std::string_view to) const {
    return !node.empty() && !to.empty() && node != to;
  }
  /// Remembers that `run` was given out under `nonce`; `sequence` as in `answered_claim`.
  void remember(const std::string& nonce, run_key run, uint64_t sequence);
  const answered_claim* claim_of(std::string_view nonce) const;
};

/// All runners that the ledger has heard of, by name.
class known_runners {
public:
  explicit known_runners(const ledger_options& options) : options_{options} {}

  /// Returns the runner, making it if needed.
  known_runner& at(const std::string& name);
  /// Returns the runner, null if it was never heard of.
  known_runner* find(std::string_view name);
  const known_runner* find(std::string_view name) const;

  bool live(const known_runner& who, moment now) const {
    return who.seen && now.tick - who.heard <= options_.runner_silence;
  }
  /// Whether it would claim: live, not broken, not draining.
  bool ready(const known_runner& who, moment now) const {
    return live(who, now) && who.status.broken.empty() && !who.status.draining;
  }
  static bool serves(const known_runner& who, const lane& way);

  /// Whether a ready runner other than `name` serves the lane.
  bool another_serves(const lane& way, std::string_view name, moment now) const;
  /// Whether any runner that was ever heard serves the lane.
  bool ever_served(const lane& way) const;
  /// Slots of the ready runners that serve a queue.
  uint64_t slots(const std::string& queue, moment now) const;
  /// Answers all that were heard, ordered by name.
  runner_list list(moment now) const;

private:
  void forget_one(const std::string& keep);

  const ledger_options& options_;
  std::map<std::string, known_runner, std::less<>> all_;
};

} // namespace troupe
