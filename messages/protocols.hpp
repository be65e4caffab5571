#pragma once

#include "messages/amqp.hpp"
#include "messages/cluster.hpp"
#include "messages/error.hpp"
#include "messages/event.hpp"
#include "messages/job_events.hpp"
#include "messages/machine.hpp"
#include "messages/object.hpp"
#include "messages/registered.hpp"
#include "messages/run.hpp"
#include "messages/statistics.hpp"

#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

/// Every typed actor interface of Troupe and the one type-id block. Read this first.
/// All requests have finite deadlines; every handler may also fail with
/// `unavailable` (starting, stopping) unless it says otherwise.

CAF_BEGIN_TYPE_ID_BLOCK(troupe_atoms, caf::first_custom_type_id)
  CAF_ADD_ATOM(troupe_atoms, troupe, drain_atom, "drain")
  CAF_ADD_ATOM(troupe_atoms, troupe, cursors_atom, "cursors")
  CAF_ADD_ATOM(troupe_atoms, troupe, status_atom, "status")
  CAF_ADD_ATOM(troupe_atoms, troupe, queues_atom, "queues")
  CAF_ADD_ATOM(troupe_atoms, troupe, runners_atom, "runners")
  CAF_ADD_ATOM(troupe_atoms, troupe, restart_atom, "restart")
  CAF_ADD_ATOM(troupe_atoms, troupe, nodes_atom, "nodes")
  CAF_ADD_ATOM(troupe_atoms, troupe, role_atom, "role")
CAF_END_TYPE_ID_BLOCK(troupe_atoms)

namespace troupe {

/// The ordered, durable log of all events.
using journal_actor = caf::typed_actor<
  // Appends groups in order; answered when all of them are durable.
  // Errors: disk_full, conflict (older epoch of the owner), invalid_argument, too_large.
  caf::replies_to<append_events>::with<append_results>,
  // Answers events from a sequence on, waiting for the first one if asked to.
  // Errors: gone (trimmed; the place names the first sequence), saturated.
  caf::replies_to<read_events>::with<event_batch>,
  // Registers or advances a named cursor (never moves it back); answers where it is.
  caf::replies_to<cursor>::with<cursor>,
  // Answers all cursors.
  caf::replies_to<cursors_atom>::with<cursor_list>,
  // Forgets a cursor, so that it no longer holds events back. Errors: not_found.
  caf::replies_to<caf::delete_atom, std::string>::with<cursor>,
  // Forgets old events; answers what is left.
  caf::replies_to<trim_journal>::with<journal_status>,
  // Answers what the journal is and whether it accepts.
  caf::replies_to<status_atom>::with<journal_status>>;

/// Decides about jobs, runs and leases. Answers when the decision is durable.
using job_ledger_actor = caf::typed_actor<
  // Accepts a job. Errors: invalid_argument, conflict (request id with another body), disk_full,
  // saturated.
  caf::replies_to<submit_job>::with<job_accepted>,
  // Accepts jobs, each for itself, in one append. Errors: as above, for all of them.
  caf::replies_to<submit_jobs>::with<jobs_accepted>,
  // Ends a job; a running one is told to stop. Errors: not_found.
  caf::replies_to<cancel_job>::with<job_status>,
  // Submits a finished job again as a new one. Errors: not_found, conflict.
  caf::replies_to<retry_job>::with<job_accepted>,
  // Leases runs to the sender, waiting for the first one if asked to.
  caf::replies_to<claim_runs>::with<claimed_runs>,
  // Extends leases.
  caf::replies_to<renew_leases>::with<lease_states>,
  // Takes results.
  caf::replies_to<finish_runs>::with<finish_outcomes>,
  // Takes progress; answers how many were taken.
  caf::replies_to<report_stages>::with<uint32_t>,
  // Takes what a processor outside of Troupe says; answered when durable.
  caf::replies_to<outside_report>::with<report_answer>,
  // Takes a runner's word about itself.
  caf::replies_to<runner_status>::with<uint32_t>, caf::replies_to<runners_atom>::with<runner_list>,
  caf::replies_to<queues_atom>::with<queue_list>,
  // Accepts nothing more, answers when all that it decided is durable.
  caf::replies_to<drain_atom>::with<uint32_t>>;

/// Knows every job, live or finished: a projection of the job events. Each
/// answer includes everything that was durable when the question came.
using job_history_actor = caf::typed_actor<
  // Answers one job with runs and stages, waiting for a change if asked to. Errors: not_found.
  caf::replies_to<get_job>::with<job_view>,
  // Answers jobs, newest first. Errors: invalid_argument (cursor).
  caf::replies_to<list_jobs>::with<job_page>,
  // Answers unfinished jobs to a starting ledger.
  caf::replies_to<read_live_jobs>::with<live_jobs>>;

/// Keeps the bytes of logs and artifacts.
using artifact_store_actor = caf::typed_actor<
  // Takes bytes; answers the next offset: that is the credit for more. Errors: disk_full,
  // too_large, conflict (gap).
  caf::replies_to<write_artifact>::with<uint64_t>,
  // Makes an artifact durable. Errors: not_found, disk_full.
  caf::replies_to<close_artifact>::with<artifact_ref>,
  // Answers bytes, waiting for more of an open one if asked to. Errors: not_found, corrupt,
  // saturated.
  caf::replies_to<read_artifact>::with<artifact_chunk>,
  caf::replies_to<list_artifacts>::with<artifact_list>>;

/// Executes runs on this host with one driver. It claims by itself.
using test_runner_actor = caf::typed_actor<
  // Stops runs now (best effort; the lease answer says it again).
  caf::reacts_to<cancel_runs>,
  // Answers what it is and does.
  caf::replies_to<status_atom>::with<runner_status>,
  // Claims nothing more; answers when the last run has been reported or handed back.
  caf::replies_to<drain_atom>::with<uint32_t>>;

/// Counts everything that the journal tells: a projection. Each answer, but that
/// for `status_atom`, includes everything that was durable when the question came.
using statistics_actor = caf::typed_actor<
  // Answers counters, durations and rates.
  caf::replies_to<get_statistics>::with<statistics_report>,
  // Answers how far one object is. Errors: not_found.
  caf::replies_to<get_object_progress>::with<object_progress>,
  // Answers objects in the order of their ids. Errors: invalid_argument (cursor).
  caf::replies_to<list_object_progress>::with<object_progress_page>,
  // Answers at once what is counted so far.
  caf::replies_to<status_atom>::with<statistics_counters>>;

/// Makes objects with their tasks, knows all of them: a projection of their events.
/// Each answer includes everything that was durable when the question came.
using objects_actor = caf::typed_actor<
  // Makes an object and its tasks in one append. Errors: as `submit_jobs`.
  caf::replies_to<create_object>::with<object_view>,
  // Takes a task of an outside distributor. Errors: as `submit_job`.
  caf::replies_to<take_task>::with<job_accepted>,
  // Passes on what an outside processor says of a task.
  caf::replies_to<task_report>::with<report_answer>,
  // Answers one object. Errors: not_found.
  caf::replies_to<get_object>::with<object_view>, caf::replies_to<list_objects>::with<object_page>,
  // Answers tasks that have no attempt left.
  caf::replies_to<list_dead_tasks>::with<dead_task_page>,
  caf::replies_to<retry_dead_tasks>::with<changed_tasks>,
  caf::replies_to<purge_dead_tasks>::with<changed_tasks>,
  // Accepts nothing more; answers when what was accepted has been answered.
  caf::replies_to<drain_atom>::with<uint32_t>>;

/// Knows every machine that the journal tells of: a projection. Each answer, but that for
/// `status_atom`, includes everything that was durable when the question came; each
/// command is answered when it is durable and applied.
using machine_tracker_actor = caf::typed_actor<
  // Answers the original's list, in the order of ids.
  caf::replies_to<list_sightings>::with<sighting_list>,
  // Answers machines by filters. Errors: invalid_argument.
  caf::replies_to<list_machines>::with<machine_page>,
  // Answers one machine. Errors: not_found.
  caf::replies_to<get_machine>::with<machine_view>,
  // Answers what it did, the latest first. Errors: not_found, invalid_argument.
  caf::replies_to<list_machine_tasks>::with<machine_task_page>,
  // Marks a machine. Errors: not_found, disk_full.
  caf::replies_to<quarantine_machine>::with<machine_view>,
  // Forgets a machine. Errors: not_found, disk_full.
  caf::replies_to<forget_machine>::with<machine_forgotten>,
  // Takes over what another tracker knows. Errors: invalid_argument, disk_full.
  caf::replies_to<import_machines>::with<machines_imported>,
  // Says which machines should exist. Errors: invalid_argument, disk_full.
  caf::replies_to<expect_machines>::with<machines_expected>,
  // Answers how many are in which state.
  caf::replies_to<summarize_machines>::with<machine_summary>,
  // Answers at once what is counted so far.
  caf::replies_to<status_atom>::with<machine_counters>,
  // Accepts nothing more; answers when what was accepted has been answered.
  caf::replies_to<drain_atom>::with<uint32_t>>;

/// Translates between a wire protocol and messages; decides nothing.
using bridge_actor = caf::typed_actor<
  // Accepts nothing more; answers when what was accepted has been answered.
  caf::replies_to<drain_atom>::with<uint32_t>>;

/// Exchanges messages with RabbitMQ: takes in what queues deliver, publishes what the
/// journal holds, and keeps what neither side takes in dead-letter queues.
using amqp_bridge_actor = caf::typed_actor<
  // Answers how connections, queues and the outbox are.
  caf::replies_to<status_atom>::with<amqp_status>,
  // Answers the dead-letter queues. Errors: unavailable (the broker is away).
  caf::replies_to<list_dead_letters>::with<dead_letter_queues>,
  // Answers the oldest letters of one. Errors: not_found, unavailable.
  caf::replies_to<peek_dead_letters>::with<dead_letter_list>,
  // Publishes letters again. Errors: not_found, unavailable.
  caf::replies_to<replay_dead_letters>::with<dead_letters_moved>,
  // Throws letters away. Errors: not_found, unavailable.
  caf::replies_to<purge_dead_letters>::with<dead_letters_moved>,
  // Takes nothing more in; answers when what came is durable and what went out is confirmed.
  caf::replies_to<drain_atom>::with<uint32_t>>;

/// Lets other nodes in, tells them where roles are, and knows who is there.
using gate_actor = caf::typed_actor<
  // Joins the sender's node. Errors: unsupported, conflict, forbidden.
  caf::replies_to<node_hello>::with<node_welcome>,
  // Takes a sign of life; answers the boot id of this node. Errors: not_found (say hello).
  caf::replies_to<node_ping>::with<std::string>,
  // The node of that boot id leaves on purpose.
  caf::reacts_to<caf::leave_atom, std::string>,
  // Answers all nodes, this one included.
  caf::replies_to<nodes_atom>::with<node_list>>;

/// One node's link to the node that it joins: down, connecting, hello, up.
using peer_link_actor = caf::typed_actor<
  // The gate says where a role is now; a null pointer: nowhere.
  caf::reacts_to<role_atom, std::string, caf::strong_actor_ptr>,
  // Answers the view of the far node.
  caf::replies_to<status_atom>::with<node_view>,
  // Says goodbye; answers when the link is closed.
  caf::replies_to<drain_atom>::with<uint32_t>>;

/// Starts the roles of one node, restarts those that end, gives up loudly.
using supervisor_actor = caf::typed_actor<
  // Answers which roles are up.
  caf::replies_to<status_atom>::with<node_status>,
  // Tries again to start a role that ended (sent to itself after the backoff).
  caf::reacts_to<restart_atom, std::string>,
  // Stops claiming, finishes or hands back, flushes, ends all roles in reverse order.
  caf::replies_to<drain_atom>::with<uint32_t>>;

} // namespace troupe

CAF_BEGIN_TYPE_ID_BLOCK(troupe, caf::id_block::troupe_atoms::end)
  CAF_ADD_TYPE_ID(troupe, (troupe::append_events))
  CAF_ADD_TYPE_ID(troupe, (troupe::append_results))
  CAF_ADD_TYPE_ID(troupe, (troupe::read_events))
  CAF_ADD_TYPE_ID(troupe, (troupe::event_batch))
  CAF_ADD_TYPE_ID(troupe, (troupe::cursor))
  CAF_ADD_TYPE_ID(troupe, (troupe::cursor_list))
  CAF_ADD_TYPE_ID(troupe, (troupe::trim_journal))
  CAF_ADD_TYPE_ID(troupe, (troupe::journal_status))
  CAF_ADD_TYPE_ID(troupe, (troupe::submit_job))
  CAF_ADD_TYPE_ID(troupe, (troupe::submit_jobs))
  CAF_ADD_TYPE_ID(troupe, (troupe::job_accepted))
  CAF_ADD_TYPE_ID(troupe, (troupe::jobs_accepted))
  CAF_ADD_TYPE_ID(troupe, (troupe::cancel_job))
  CAF_ADD_TYPE_ID(troupe, (troupe::retry_job))
  CAF_ADD_TYPE_ID(troupe, (troupe::job_status))
  CAF_ADD_TYPE_ID(troupe, (troupe::claim_runs))
  CAF_ADD_TYPE_ID(troupe, (troupe::claimed_runs))
  CAF_ADD_TYPE_ID(troupe, (troupe::renew_leases))
  CAF_ADD_TYPE_ID(troupe, (troupe::lease_states))
  CAF_ADD_TYPE_ID(troupe, (troupe::finish_runs))
  CAF_ADD_TYPE_ID(troupe, (troupe::finish_outcomes))
  CAF_ADD_TYPE_ID(troupe, (troupe::report_stages))
  CAF_ADD_TYPE_ID(troupe, (troupe::cancel_runs))
  CAF_ADD_TYPE_ID(troupe, (troupe::runner_status))
  CAF_ADD_TYPE_ID(troupe, (troupe::runner_list))
  CAF_ADD_TYPE_ID(troupe, (troupe::queue_list))
  CAF_ADD_TYPE_ID(troupe, (troupe::get_job))
  CAF_ADD_TYPE_ID(troupe, (troupe::job_view))
  CAF_ADD_TYPE_ID(troupe, (troupe::list_jobs))
  CAF_ADD_TYPE_ID(troupe, (troupe::job_page))
  CAF_ADD_TYPE_ID(troupe, (troupe::read_live_jobs))
  CAF_ADD_TYPE_ID(troupe, (troupe::live_jobs))
  CAF_ADD_TYPE_ID(troupe, (troupe::outside_report))
  CAF_ADD_TYPE_ID(troupe, (troupe::report_answer))
  CAF_ADD_TYPE_ID(troupe, (troupe::create_object))
  CAF_ADD_TYPE_ID(troupe, (troupe::take_task))
  CAF_ADD_TYPE_ID(troupe, (troupe::task_report))
  CAF_ADD_TYPE_ID(troupe, (troupe::get_object))
  CAF_ADD_TYPE_ID(troupe, (troupe::object_view))
  CAF_ADD_TYPE_ID(troupe, (troupe::list_objects))
  CAF_ADD_TYPE_ID(troupe, (troupe::object_page))
  CAF_ADD_TYPE_ID(troupe, (troupe::list_dead_tasks))
  CAF_ADD_TYPE_ID(troupe, (troupe::dead_task_page))
  CAF_ADD_TYPE_ID(troupe, (troupe::retry_dead_tasks))
  CAF_ADD_TYPE_ID(troupe, (troupe::purge_dead_tasks))
  CAF_ADD_TYPE_ID(troupe, (troupe::changed_tasks))
  CAF_ADD_TYPE_ID(troupe, (troupe::write_artifact))
  CAF_ADD_TYPE_ID(troupe, (troupe::close_artifact))
  CAF_ADD_TYPE_ID(troupe, (troupe::read_artifact))
  CAF_ADD_TYPE_ID(troupe, (troupe::artifact_ref))
  CAF_ADD_TYPE_ID(troupe, (troupe::artifact_chunk))
  CAF_ADD_TYPE_ID(troupe, (troupe::list_artifacts))
  CAF_ADD_TYPE_ID(troupe, (troupe::artifact_list))
  CAF_ADD_TYPE_ID(troupe, (troupe::node_status))
  CAF_ADD_TYPE_ID(troupe, (troupe::node_hello))
  CAF_ADD_TYPE_ID(troupe, (troupe::node_welcome))
  CAF_ADD_TYPE_ID(troupe, (troupe::node_ping))
  CAF_ADD_TYPE_ID(troupe, (troupe::node_list))
  CAF_ADD_TYPE_ID(troupe, (troupe::node_view))
  CAF_ADD_TYPE_ID(troupe, (troupe::amqp_status))
  CAF_ADD_TYPE_ID(troupe, (troupe::list_dead_letters))
  CAF_ADD_TYPE_ID(troupe, (troupe::dead_letter_queues))
  CAF_ADD_TYPE_ID(troupe, (troupe::peek_dead_letters))
  CAF_ADD_TYPE_ID(troupe, (troupe::dead_letter_list))
  CAF_ADD_TYPE_ID(troupe, (troupe::replay_dead_letters))
  CAF_ADD_TYPE_ID(troupe, (troupe::purge_dead_letters))
  CAF_ADD_TYPE_ID(troupe, (troupe::dead_letters_moved))
  CAF_ADD_TYPE_ID(troupe, (troupe::amqp_bridge_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::get_statistics))
  CAF_ADD_TYPE_ID(troupe, (troupe::statistics_report))
  CAF_ADD_TYPE_ID(troupe, (troupe::get_object_progress))
  CAF_ADD_TYPE_ID(troupe, (troupe::object_progress))
  CAF_ADD_TYPE_ID(troupe, (troupe::list_object_progress))
  CAF_ADD_TYPE_ID(troupe, (troupe::object_progress_page))
  CAF_ADD_TYPE_ID(troupe, (troupe::statistics_counters))
  CAF_ADD_TYPE_ID(troupe, (troupe::statistics_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::gate_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::peer_link_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::bridge_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::supervisor_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::journal_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::job_ledger_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::job_history_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::artifact_store_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::test_runner_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::objects_actor))
  CAF_ADD_TYPE_ID(troupe, (troupe::list_sightings))
  CAF_ADD_TYPE_ID(troupe, (troupe::sighting_list))
  CAF_ADD_TYPE_ID(troupe, (troupe::list_machines))
  CAF_ADD_TYPE_ID(troupe, (troupe::machine_page))
  CAF_ADD_TYPE_ID(troupe, (troupe::get_machine))
  CAF_ADD_TYPE_ID(troupe, (troupe::machine_view))
  CAF_ADD_TYPE_ID(troupe, (troupe::list_machine_tasks))
  CAF_ADD_TYPE_ID(troupe, (troupe::machine_task_page))
  CAF_ADD_TYPE_ID(troupe, (troupe::quarantine_machine))
  CAF_ADD_TYPE_ID(troupe, (troupe::forget_machine))
  CAF_ADD_TYPE_ID(troupe, (troupe::machine_forgotten))
  CAF_ADD_TYPE_ID(troupe, (troupe::import_machines))
  CAF_ADD_TYPE_ID(troupe, (troupe::machines_imported))
  CAF_ADD_TYPE_ID(troupe, (troupe::expect_machines))
  CAF_ADD_TYPE_ID(troupe, (troupe::machines_expected))
  CAF_ADD_TYPE_ID(troupe, (troupe::summarize_machines))
  CAF_ADD_TYPE_ID(troupe, (troupe::machine_summary))
  CAF_ADD_TYPE_ID(troupe, (troupe::machine_counters))
  CAF_ADD_TYPE_ID(troupe, (troupe::machine_tracker_actor))
CAF_END_TYPE_ID_BLOCK(troupe)

// A forgotten type id stops the build here.
static_assert(troupe::registered<troupe::journal_actor>::value);
static_assert(troupe::registered<troupe::job_ledger_actor>::value);
static_assert(troupe::registered<troupe::job_history_actor>::value);
static_assert(troupe::registered<troupe::artifact_store_actor>::value);
static_assert(troupe::registered<troupe::test_runner_actor>::value);
static_assert(troupe::registered<troupe::amqp_bridge_actor>::value);
static_assert(troupe::registered<troupe::statistics_actor>::value);
static_assert(troupe::registered<troupe::objects_actor>::value);
static_assert(troupe::registered<troupe::machine_tracker_actor>::value);
static_assert(troupe::registered<troupe::gate_actor>::value);
static_assert(troupe::registered<troupe::peer_link_actor>::value);
static_assert(troupe::registered<troupe::bridge_actor>::value);
static_assert(troupe::registered<troupe::supervisor_actor>::value);
