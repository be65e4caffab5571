#pragma once

#include "bridges/http/client.hpp"

#include <chrono>
#include <string>

namespace troupe::cli {

/// What every verb knows: whom to call, as whom, and how to answer.
struct settings {
  std::string server; ///< Empty = where the node on this machine says it listens.
  std::string token_file;
  std::string data; ///< Data folder of a node on this machine.
  bool json = false;
  std::chrono::milliseconds timeout{std::chrono::minutes{10}}; ///< How long a node may be away.
};

/// Returns how to call the server: its address and a token. The token comes from
/// `token_file`, else $TROUPE_TOKEN, else, if the server is on this machine,
/// from the secret in the node's data folder; empty if there is none.
/// Errors: `ec::invalid_argument` (server), those of a file that was named.
caf::expected<http_client_options> connection_of(const settings& in);

/// Returns the data folder: as given, else $TROUPE_DATA, else "./troupe-data".
std::string data_folder(const settings& in);

/// Returns the address to call: as given, else what the node with this data
/// folder wrote there, else "http://127.0.0.1:8000".
std::string server_address(const settings& in);

/// True if the host names this machine's loopback: a token made from the local
/// secret is sent nowhere else.
bool is_loopback(const std::string& host);

} // namespace troupe::cli
