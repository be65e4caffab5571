#include "bridges/http/answer_framer.hpp"

#include "bridges/http/answer_text.hpp"
#include "config/log.hpp"

#include <algorithm>
#include <cstring>

namespace troupe {

class answer_framer::memory_stream final : public httplib::Stream {
public:
  memory_stream(std::string_view in, std::string& out) : in_{in}, out_{out} {}

  bool is_readable() const override {
    return true;
  }
  bool is_writable() const override {
    return true;
  }
  ssize_t read(char* to, size_t size) override {
    auto count = std::min(size, in_.size());
    std::memcpy(to, in_.data(), count);
    in_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, size_t size) override {
    out_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override {
    return 0;
  }

private:
  std::string_view in_;
  std::string& out_;
};

/// One call of `run`. httplib hands its handler nothing of ours, so the call in
/// progress is found through the thread.
struct answer_framer::call {
  const http_request& request;
  framed result;
  static thread_local call* current;
};

thread_local answer_framer::call* answer_framer::call::current = nullptr;

answer_framer::answer_framer(const http_options& options, http_handler handler)
  : handler_{std::move(handler)} {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.idle_time);
  set_keep_alive_timeout(seconds.count());
  set_keep_alive_max_count(1'000'000);
  set_pre_routing_handler([this](const httplib::Request& seen, httplib::Response& out) {
    return answer(*call::current, seen, out);
  });
}

answer_framer::framed answer_framer::run(const http_request& request, const std::string& target,
                                         bool keep_alive) {
  auto at = call{request, {}};
  call::current = &at;
  auto head = std::string{};
  head.reserve(target.size() + 64);
  head.append(request.method).append(" ").append(target).append(" HTTP/1.1\r\n\r\n");
  auto bytes = std::string{};
  auto stream = memory_stream{head, bytes};
  auto closed = false;
  process_request(stream, !keep_alive, closed, nullptr);
  call::current = nullptr;
  if (at.result.status == 0) {
    // Two parsers that differ about one request line are a reason to trust neither.
    auto refusal = error_answer(400, "bad_request", "the request line is ambiguous");
    bytes = answer_head(refusal, request.request_id, answer_end::length, keep_alive) + refusal.body;
    at.result.status = refusal.status;
  }
  at.result.bytes = std::move(bytes);
  return std::move(at.result);
}

httplib::Server::HandlerResponse answer_framer::answer(call& at, const httplib::Request& seen,
                                                       httplib::Response& out) {
  if (seen.path != at.request.path || seen.method != at.request.method)
    return HandlerResponse::Handled;
  auto x = call_handler(at.request);
  at.result.status = x.status;
  if (x.stream) {
    at.result.stream = std::move(x.stream);
    at.result.answer = std::move(x);
    return HandlerResponse::Handled;
  }
  complete_headers(x, at.request.request_id);
  out.status = x.status;
  for (auto& [name, value] : x.headers)
    out.headers.emplace(name, std::move(value));
  if (!x.content_type.empty())
    out.headers.emplace("Content-Type", x.content_type);
  if (seen.method == "HEAD")
    out.headers.emplace("Accept-Ranges", "none"); // httplib would claim the contrary.
  out.body = std::move(x.body);
  return HandlerResponse::Handled;
}

http_response answer_framer::call_handler(const http_request& request) {
  auto why = std::string{};
  try {
    auto x = handler_(request);
    if (x.status >= 100 && x.status <= 599)
      return x;
    why = "status " + std::to_string(x.status);
  } catch (const std::exception& fault) {
    why = fault.what();
  } catch (...) {
    why = "unknown exception";
  }
  log(log_level::error, "http", "a request handler failed",
      {{"request", request.request_id}, {"path", request.path}, {"fault", why}});
  return error_answer(500, "unspecified", "the request could not be handled");
}

} // namespace troupe
