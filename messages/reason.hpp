#pragma once

#include "messages/enum_names.hpp"

#include <cstdint>

namespace troupe {

/// What a job came to. Source: DESIGN 3.
enum class verdict : uint8_t { none, pass, fail, neutral, error, timeout, canceled };
template <>
inline constexpr auto enum_names<verdict> = std::array<std::string_view, 7>{
  "none", "pass", "fail", "neutral", "error", "timeout", "canceled"};

/// Why a run ended other than by passing: one closed list that decides verdict
/// and retry. Source: spec/testing.md 6.1.
enum class reason : uint8_t {
  none,
  install_failed,
  integrity_failed,
  test_failed,
  uninstall_failed,
  stage_timeout,
  task_timeout,
  oom,
  env_start_failed,
  image_pull_failed,
  provision_failed,
  exec_infra,
  env_lost,
  git_clone_failed,
  repo_unreachable,
  claim_expired,
  worker_shutdown,
  malformed_request,
  unsupported_platform,
  canceled,
  deadline_exceeded,
  package_rejected,
  internal_error,
  process_failed, ///< A processor says that a task failed.
};
template <>
inline constexpr auto enum_names<reason> = std::array<std::string_view, 24>{
  "none",
  "install-failed",
  "integrity-failed",
  "test-failed",
  "uninstall-failed",
  "stage-timeout",
  "task-timeout",
  "oom",
  "env-start-failed",
  "image-pull-failed",
  "provision-failed",
  "exec-infra",
  "env-lost",
  "git-clone-failed",
  "repo-unreachable",
  "claim-expired",
  "worker-shutdown",
  "malformed-request",
  "unsupported-platform",
  "canceled",
  "deadline-exceeded",
  "package-rejected",
  "internal-error",
  "process-failed",
};

/// Whether a run that ended for a reason is tried again without being asked.
enum class retry_rule : uint8_t {
  never,      ///< A verdict or the caller's fault.
  if_asked,   ///< Only when the job's `retry_on_timeout` says so.
  counted,    ///< Infrastructure, or a task of an object: again while retries are left.
  first_free, ///< As `counted`, but the first time does not count.
};

/// Returns the verdict that `why` stands for.
constexpr verdict verdict_of(reason why) {
  switch (why) {
    case reason::none: return verdict::pass;
    case reason::install_failed:
    case reason::integrity_failed:
    case reason::test_failed:
    case reason::uninstall_failed:
    case reason::oom:
    case reason::process_failed: return verdict::fail;
    case reason::stage_timeout:
    case reason::task_timeout: return verdict::timeout;
    case reason::canceled: return verdict::canceled;
    case reason::package_rejected: return verdict::neutral;
    default: return verdict::error;
  }
}

/// Returns the retry rule of `why`.
constexpr retry_rule retry_rule_of(reason why) {
  switch (why) {
    case reason::stage_timeout:
    case reason::task_timeout: return retry_rule::if_asked;
    case reason::env_start_failed:
    case reason::image_pull_failed:
    case reason::provision_failed:
    case reason::exec_infra:
    case reason::env_lost:
    case reason::git_clone_failed:
    case reason::repo_unreachable:
    case reason::internal_error:
    case reason::process_failed: return retry_rule::counted;
    case reason::claim_expired:
    case reason::worker_shutdown: return retry_rule::first_free;
    default: return retry_rule::never;
  }
}

} // namespace troupe
