#pragma once

#include "tests/support/child_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::tests {

/// A RabbitMQ server of its own: ports, name, folders and epmd are private, everything listens
/// on 127.0.0.1. What is stored survives `crash`, `stop` and `start`. About 10 s to start.
/// Source: PLATFORM.md 3.
class private_broker {
public:
  struct tls_files {
    std::string authority;
    std::string certificate;
    std::string key;
  };

  /// `settings` are lines of rabbitmq.conf. Throws with the name of the package if a part is
  /// missing, and if the server does not come up.
  explicit private_broker(std::vector<std::string> settings = {}, const tls_files* tls = nullptr);
  ~private_broker();
  private_broker(const private_broker&) = delete;
  private_broker& operator=(const private_broker&) = delete;

  uint16_t port() const {
    return port_;
  }
  uint16_t tls_port() const {
    return tls_port_;
  }

  /// Starts the server and waits until it accepts.
  void start();
  /// kill -9.
  void crash();
  /// As an operator does: SIGTERM, which it takes for a clean stop.
  void stop();
  void freeze();
  void thaw();

  /// Runs rabbitmqctl and returns what it prints; throws if it fails.
  std::string control(std::vector<std::string> arguments);

  /// What the server wrote into its log.
  std::string log() const;

  /// Returns the broker that the tests of this program share, started.
  static private_broker& shared();

private:
  std::vector<std::string> command(const std::string& program) const;
  bool accepts() const;

  temp_folder folder_;
  std::string name_;
  uint16_t port_ = 0;
  uint16_t tls_port_ = 0;
  uint16_t dist_port_ = 0;
  uint16_t epmd_port_ = 0;
  std::unique_ptr<child_process> epmd_;
  std::unique_ptr<child_process> server_;
};

} // namespace troupe::tests
