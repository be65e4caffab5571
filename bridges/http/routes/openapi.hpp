#pragma once

#include "bridges/http/routes/route.hpp"

namespace troupe {

/// Returns the OpenAPI 3.0 document of a route table.
json openapi_document(const std::vector<route>& table);

} // namespace troupe
