#pragma once

#include "bridges/http/server.hpp"

#include <httplib.h>

#include <string>

namespace troupe {

/// httplib as parser of the request line and writer of the answer, over memory:
/// it gets a head that the guard has judged and written anew, so none of its own
/// limits, regular expressions or body readers ever meet a stranger's bytes.
///
/// Threads: `run` from any, at the same time.
class answer_framer final : private httplib::Server {
public:
  answer_framer(const http_options& options, http_handler handler);

  /// What a worker hands back to the loop.
  struct framed {
    std::string bytes;
    int status = 0;
    std::function<void(stream_writer)> stream; ///< Then `answer` is its head, still to be written.
    http_response answer;
  };

  /// Runs the handler and frames its answer. A handler that throws is answered with 500.
  framed run(const http_request& request, const std::string& target, bool keep_alive);

private:
  class memory_stream;
  struct call;

  HandlerResponse answer(call& at, const httplib::Request& seen, httplib::Response& out);
  http_response call_handler(const http_request& request);

  http_handler handler_;
};

} // namespace troupe
