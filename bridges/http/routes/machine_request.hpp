#pragma once

#include "messages/machine.hpp"

#include <string>
#include <vector>

/// Bodies of the calls that change what is known of machines.
namespace troupe {

/// One machine of `POST /machines`, as `GET /machines` lists it. Both names of status and task are
/// understood, see spec/machines.md 2.1.
struct machine_import {
  std::string datacenter;
  std::string machine;
  std::string lastseen;
  std::string last_status;
  std::string last_task;
  std::string status;
  std::string task;

  static constexpr auto type_name = "troupe::machine_import";
  static constexpr auto fields = std::tuple{
    field{"datacenter", &machine_import::datacenter, {.required = true, .max_size = 128}},
    field{"machine", &machine_import::machine, {.required = true, .max_size = 128}},
    field{"lastseen",
          &machine_import::lastseen,
          {.doc = "RFC 3339; without a zone it is UTC.", .required = true, .max_size = 64}},
    field{"machines-last-status",
          &machine_import::last_status,
          {.doc = "\"<state>_<reasonResolved>\".", .pattern = "line", .max_size = 128}},
    field{"machines-last-taskid", &machine_import::last_task, {.pattern = "line", .max_size = 64}},
    field{"laststatus", &machine_import::status, {.pattern = "line", .max_size = 128}},
    field{"lasttaskid", &machine_import::task, {.pattern = "line", .max_size = 64}},
  };
};

/// Body of `PUT /machines/{machine_id}/quarantine`. Source: Taskcluster's quarantineWorker.
struct quarantine_request {
  std::string until;
  std::string why;

  static constexpr auto type_name = "troupe::quarantine_request";
  static constexpr auto fields = std::tuple{
    field{"quarantineUntil",
          &quarantine_request::until,
          {.doc = "RFC 3339; a time that has passed lifts it.", .required = true, .max_size = 64}},
    field{"quarantineInfo",
          &quarantine_request::why,
          {.doc = "Why.", .max_size = quarantine_text_size}},
  };
};

/// Returns whether `text` is one side of "datacenter:host": letters, digits, '.', '_', '-'.
bool is_machine_word(std::string_view text);

} // namespace troupe
