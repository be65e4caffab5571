#pragma once

#include "bridges/http/answer_framer.hpp"
#include "bridges/http/connection.hpp"
#include "bridges/http/deadline_queue.hpp"
#include "bridges/http/loop_mailbox.hpp"
#include "bridges/http/token_bucket.hpp"
#include "bridges/http/worker_pool.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace troupe {

/// The loop thread behind `http_server`. Everything without a comment on
/// threads belongs to that thread alone.
class http_server::loop {
public:
  using clock = std::chrono::steady_clock;

  loop(http_options options, http_body_gate gate, http_handler handler);
  ~loop();

  /// Threads: the caller's, once.
  caf::error start();
  /// Threads: any.
  void stop(std::chrono::milliseconds limit);
  uint16_t port() const {
    return port_;
  }
  http_counts counts() const;

private:
  using phase = http_connection::phase;

  // loop.cpp: events, time, the end.
  void run();
  int wait_time() const;
  void on_event(uint64_t id, uint32_t flags);
  void on_orders(std::vector<loop_order> orders);
  void on_order(loop_order& order);
  void pass_deadlines();
  void begin_stop();

  // loop_accept.cpp: how connections come and go.
  caf::error listen();
  void accept_all();
  void accept_starved();
  void resume_accept();
  void admit(int fd, std::string address);
  void close(http_connection& c);
  void account(http_connection& c);
  bool make_room(http_connection& c);

  // loop_requests.cpp: bytes to requests, requests to workers.
  void pump(http_connection& c);
  bool read_some(http_connection& c);
  void feed(http_connection& c, std::string_view bytes);
  void judge(http_connection& c);
  bool limit_rate(http_connection& c, bool failed);
  void dispatch(http_connection& c);
  void refuse(http_connection& c, http_response answer);
  void expire(http_connection& c);
  void arm(http_connection& c);

  // loop_answers.cpp: answers, live streams, the last words.
  void send_answer(http_connection& c, std::string bytes);
  void on_answer(http_connection& c, loop_order& order);
  void on_stream_write(http_connection& c, loop_order& order);
  void finish_stream(http_connection& c);
  bool flush(http_connection& c);
  void answered(http_connection& c);
  void linger(http_connection& c);
  void discard(http_connection& c);
  void relieve_unsent();

  const http_options options_;
  const http_body_gate gate_;
  answer_framer framer_;
  worker_pool workers_;
  std::shared_ptr<loop_mailbox> box_;
  std::thread thread_;
  std::atomic<uint16_t> port_ = 0;

  int epoll_ = -1;
  int listener_ = -1;
  int spare_ = -1; ///< A descriptor to give up when there is no other.
  clock::time_point now_ = clock::now();
  clock::time_point accept_again_ = http_connection::never;
  uint64_t next_id_ = 16; ///< Below are the loop's own descriptors.
  std::unordered_map<uint64_t, std::unique_ptr<http_connection>> connections_;
  std::unordered_map<std::string, size_t> per_address_;
  std::vector<std::unique_ptr<http_connection>> closed_; ///< In this round.
  std::vector<uint64_t> more_to_read_;
  deadline_queue deadlines_;
  token_buckets subjects_;
  token_buckets addresses_;
  token_buckets failures_;
  std::array<char, 64 << 10> read_buffer_;
  size_t unfinished_ = 0; ///< Bytes of requests being read.
  size_t working_ = 0;    ///< Bytes of requests at workers.
  size_t unsent_ = 0;     ///< Bytes of answers.
  size_t at_workers_ = 0; ///< Requests at workers.
  std::string id_prefix_;
  uint64_t next_request_ = 0;
  bool stopping_ = false;

  std::mutex stop_mutex_;
  std::atomic<int64_t> stop_by_ = 0; ///< Nanoseconds of `clock`; set before the stop order.

  struct {
    std::atomic<uint64_t> accepted = 0, refused = 0, requests = 0, bad_requests = 0, open = 0,
                          streams = 0, buffered = 0;
  } counts_;
};

} // namespace troupe
