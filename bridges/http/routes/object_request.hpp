#pragma once

#include "messages/object.hpp"

namespace troupe {

/// Body of `POST /objects`; it may be absent.
struct object_request {
  std::string name;
  std::string content;

  static constexpr auto type_name = "troupe::object_request";
  static constexpr auto fields = std::tuple{
    field{"name",
          &object_request::name,
          {.doc = "One line; absent = a random word.", .pattern = "line", .max_size = 256}},
    field{"content",
          &object_request::content,
          {.doc = "Any text; absent = random words.", .max_size = 65536}},
  };
};

/// Body of what is done to dead tasks.
struct dead_tasks_request {
  std::vector<std::string> tasks;
  bool all = false;

  static constexpr auto type_name = "troupe::dead_tasks_request";
  static constexpr auto fields = std::tuple{
    field{"tasks",
          &dead_tasks_request::tasks,
          {.doc = "Ids of tasks; those that are not dead are left out.", .max_size = 1000}},
    field{"all", &dead_tasks_request::all, {.doc = "The oldest 1000 dead tasks."}},
  };
};

/// What came of one task.
struct task_result {
  std::string id;
  task_state state = task_state::queued;
  uint32_t attempt = 0;
  std::string processor;
  std::string error;
  caf::timespan spend{0};

  static constexpr auto type_name = "troupe::task_result";
  static constexpr auto fields = std::tuple{
    field{"id", &task_result::id},           field{"state", &task_result::state},
    field{"attempt", &task_result::attempt}, field{"processor", &task_result::processor},
    field{"error", &task_result::error},     field{"spend_seconds", &task_result::spend},
  };
};

/// Answer of `GET /api/results/{object_id}`; each result also has `data`, any JSON.
struct object_results {
  uint64_t id = 0;
  object_state state = object_state::open;
  uint32_t tasks_total = 0;
  uint32_t tasks_done = 0;
  std::vector<task_result> results;

  static constexpr auto type_name = "troupe::object_results";
  static constexpr auto fields = std::tuple{
    field{"id", &object_results::id},
    field{"state", &object_results::state},
    field{"tasks_total", &object_results::tasks_total},
    field{"tasks_done", &object_results::tasks_done},
    field{"results", &object_results::results},
  };
};

} // namespace troupe
