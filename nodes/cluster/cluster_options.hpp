#pragma once

#include "config/section.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A place where a node listens for others, or dials one.
struct peer_address {
  std::string node; ///< Name that its certificate must have; empty for the own place.
  std::string host;
  uint16_t port = 0;
};

/// Reads "name@host:port" or "host:port"; an IPv6 host stands in brackets.
std::optional<peer_address> parse_peer_address(std::string_view text);

/// What the cluster's list says of one node.
struct listed_peer {
  std::vector<std::string> roles; ///< What it may play; empty = anything.
  std::string fingerprint; ///< Of its public key, "sha256:..."; empty = any key of that name.
};

/// The cluster's list of nodes, which may change while a node runs. Threads: any.
class peer_list {
public:
  explicit peer_list(std::map<std::string, listed_peer> peers = {}) : peers_{std::move(peers)} {}

  std::optional<listed_peer> find(const std::string& node) const;
  void replace(std::map<std::string, listed_peer> peers);

private:
  mutable std::mutex mutex_;
  std::map<std::string, listed_peer> peers_;
};

/// The `cluster:` section. Source: DESIGN 4, CAF.md 13.
struct cluster_options {
  std::optional<peer_address> listen;
  std::vector<peer_address> dial; ///< Tried in order, one link at a time.
  std::string certificate;
  std::string key;
  std::string authority;
  std::string revoked; ///< May be empty.
  std::map<std::string, listed_peer> peers;
  std::chrono::milliseconds lost_after{3000};   ///< Silence that ends a link.
  std::chrono::milliseconds handshake{3000};    ///< Limit of connecting, TLS included.
  std::chrono::milliseconds first_backoff{200}; ///< Doubles, with jitter.
  std::chrono::milliseconds longest_backoff{5000};
  uint64_t frame_limit = 16ULL << 20;  ///< Longest message of a peer.
  uint64_t unsent_limit = 64ULL << 20; ///< Bytes that may wait for one peer before it is cut.
};

/// Fills options from the `cluster:` section; faults are collected by the section.
cluster_options read_cluster_options(section& in);

} // namespace troupe
