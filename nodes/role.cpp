#include "nodes/role.hpp"

namespace troupe {

const std::vector<role>& role_table() {
  static const auto table = std::vector<role>{
    {"journal", prepare_journal},     {"jobs", prepare_jobs},
    {"artifacts", prepare_artifacts}, {"history", prepare_history, false},
    {"objects", prepare_objects},     {"statistics", prepare_statistics},
    {"machines", prepare_machines},   {"tests", prepare_tests},
    {"amqp", prepare_amqp, false},    {"http", prepare_http},
  };
  return table;
}

} // namespace troupe
