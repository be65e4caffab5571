#pragma once

#include "bridges/http/server.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// Returns `{"error":{"code":...,"message":...,"place":...}}` as an answer.
http_response error_answer(int status, std::string_view code, std::string_view text,
                           std::string_view place = {});

/// How the end of an answer is marked.
enum class answer_end { length, chunks, close };

/// Returns the status line and headers that the guard itself sends: for refusals
/// and live streams. All other answers are framed by httplib.
std::string answer_head(const http_response& x, std::string_view request_id, answer_end end,
                        bool keep_alive);

/// Adds what every answer carries, and drops headers that would break the
/// framing: the server decides about those.
void complete_headers(http_response& x, std::string_view request_id);

/// Returns one chunk of a chunked body.
std::string chunk_of(std::string_view bytes);

} // namespace troupe
