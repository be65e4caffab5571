#pragma once

#include "actors/artifact_writer.hpp"
#include "actors/log_flusher.hpp"
#include "actors/runners/runner_driver.hpp"
#include "actors/runners/secret_mask.hpp"
#include "messages/log_names.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// Writes down one run: its stages, and their logs in the artifact store as they
/// come. A log exists from its first byte; what it holds is durable when
/// `finish` returns. The store's answer is the credit for more bytes, so a slow
/// store slows the run down, an absent one holds it; one that keeps refusing fails
/// the run as infrastructure.
///
/// Threads: the sink's functions and `finish` by the run's thread; `flush_now` by any.
class run_recorder : public run_sink,
                     public flushable,
                     public std::enable_shared_from_this<run_recorder> {
public:
  /// `on_stage` is called when a stage begins and when it has ended.
  run_recorder(run_key run, std::shared_ptr<artifact_writer> store,
               std::shared_ptr<log_flusher> flusher, std::function<void(stage_report)> on_stage,
               std::stop_token stop);

  void stage_started(std::string_view name) override;
  void output(std::string_view bytes) override;
  void stage_finished(stage what) override;
  void mask(std::string_view secret) override;
  void artifact(std::string_view name, std::string_view bytes) override;

  void flush_now() override;

  /// Returns the report of the run. Call it once, after the driver has returned.
  run_report finish(run_outcome outcome);

private:
  /// Ends a stage that the driver left open.
  void cut_off(reason why);
  /// Buffers what may be shown.
  void keep(std::string_view shown);
  void write_buffer();
  void close_log(stage& of);
  void lose(const caf::error& why);
  caf::error store_file(const artifact_key& key, std::string_view bytes);
  artifact_key key_of(std::string name) const;

  const run_key run_;
  const std::shared_ptr<artifact_writer> store_;
  const std::shared_ptr<log_flusher> flusher_;
  const std::function<void(stage_report)> on_stage_;
  const std::stop_token stop_;

  std::mutex mutex_;
  secret_mask mask_;
  std::vector<stage> stages_; ///< The last one may be open.
  bool is_open_ = false;
  log_namer log_namer_;
  std::string log_name_;        ///< Of the open stage.
  std::string buffer_;          ///< Masked, not yet in the store.
  uint64_t offset_ = 0;         ///< Bytes of the open log that the store has.
  bool is_watched_ = false;     ///< The flusher will come by.
  std::set<std::string> names_; ///< Of this run's artifacts; no log is named like one.
  size_t output_kept_ = 0;      ///< Bytes of `stage::output` in this run.
  std::string lost_;            ///< Why bytes could not be stored; empty = all are.
};

} // namespace troupe
