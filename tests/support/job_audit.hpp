#pragma once

#include "tests/support/node_process.hpp"

#include <map>
#include <string>

namespace troupe::tests {

/// A small job for the runner type "fake"; `variables` tell the driver what to pretend.
json fake_job(const std::map<std::string, std::string>& variables = {});

/// Submits a job under an idempotency key; any status may come back.
node_process::answer submit_as(const node_process& node, const std::string& key, const json& job);

/// Reads every job of the node, page by page: id -> job.
std::map<std::string, json> all_jobs(const node_process& node);

/// Waits until no job of the node is queued or running; fails the test if that takes too long.
void await_all_finished(const node_process& node,
                        std::chrono::seconds limit = std::chrono::minutes{3});

/// Checks that each promised job (key -> id) is there, that every job of the node has
/// passed by exactly one run, and that there are no more jobs than `keys`. Returns how
/// many jobs there are.
size_t audit_jobs(const node_process& node, const std::map<std::string, std::string>& promised,
                  size_t keys);

} // namespace troupe::tests
