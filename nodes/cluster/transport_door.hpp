#pragma once

#include "bridges/http/token_bucket.hpp"
#include "nodes/cluster/handshake.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Accepts, dials and shakes hands on a thread of its own: CAF's network thread
/// sees connections only after both sides have shown who they are, so that
/// strangers cost it nothing, and a host that does not answer delays nobody.
///
/// Threads: any; callbacks run on the door's thread and must not block.
class transport_door {
public:
  using on_accepted = std::function<void(settled_peer)>;
  using on_dialed = std::function<void(caf::expected<settled_peer>)>;

  explicit transport_door(transport_core_ptr core);

  ~transport_door();
  transport_door(const transport_door&) = delete;
  transport_door& operator=(const transport_door&) = delete;

  /// Closes all that has not been handed over, for good. Dials under way are not answered.
  void close();

  /// Accepts peers from now on; answers the port. Errors: as `listen_on`.
  caf::expected<uint16_t> listen(const socket_address& at, on_accepted then);

  /// Connects to the first address that answers; the node there must be `name`.
  /// Errors: `ec::timeout`, `ec::unavailable` (nobody there), `ec::unauthorized`
  /// (one side refused the other).
  void dial(std::vector<socket_address> to, std::string name, on_dialed then);

private:
  using clock = std::chrono::steady_clock;

  struct listener {
    owned_fd fd;
    on_accepted then;
  };
  struct dial_order {
    std::vector<socket_address> to;
    std::string name;
    on_dialed then;
    size_t next = 0; ///< Address to try.
    clock::time_point due;
    caf::error last; ///< What the address before said.
  };
  /// A handshake, and for whom: `dial` if we dial, else `accepted`.
  struct young {
    handshake shaking;
    clock::time_point due;
    on_accepted accepted;
    std::optional<dial_order> dial;
    std::string origin;  ///< Of who dialed us: its network.
    uint32_t events = 0; ///< That are watched.
  };

  void run();
  void order(std::function<void()> what);
  void run_orders();
  int patience() const;
  void look_at_clock();
  void cut_silent_peers();
  void cut_expired_peers();
  void cut_all(const std::vector<open_peer_ptr>& peers, refusal why, const std::string& detail);

  void accept_from(uint64_t key);
  void admit(owned_fd fd, const socket_address& from, const on_accepted& then);
  void displace(const std::string& origin);
  std::string busiest_origin() const;
  void rest_listeners(bool rest);
  void try_next(dial_order order);
  void begin(young x);
  void advance(uint64_t key);
  void settle(young x);
  void give_up(young x, refusal why, const std::string& detail);
  young take(uint64_t key);
  void watch(int operation, int fd, uint64_t key, uint32_t events);

  transport_core_ptr core_;
  owned_fd epoll_;
  owned_fd wake_;
  uint64_t last_key_ = 0; ///< 0 is the wake-up.
  std::map<uint64_t, listener> listeners_;
  std::map<uint64_t, young> young_;
  std::map<std::string, size_t> callers_; ///< Handshakes under way by network.
  size_t calling_ = 0;                    ///< Their sum.
  token_buckets rate_;
  std::optional<clock::time_point> rest_; ///< Without descriptors the listeners rest until then.
  clock::time_point
    greetings_due_{}; ///< The last settled peer must have greeted and joined by then.
  clock::time_point expiries_due_{}; ///< Certificates and frames are looked at again.

  std::mutex mutex_;
  std::vector<std::function<void()>> orders_;
  bool stop_ = false;
  std::thread thread_;
};

} // namespace troupe
