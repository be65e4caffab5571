/// AMQPS: the broker must be who it says.
#include "tests/support/amqp_world.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  auto done = run_process(arguments);
  INFO(done.output);
  REQUIRE(done.exit_code == 0);
}

/// A broker whose certificate is for "localhost", signed by an authority of its own.
struct tls_broker {
  tls_broker() {
    auto at = folder.path();
    for (const auto& name : {"ca", "other"})
      openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-days", "2", "-subj", "/CN=" + std::string{name}, "-keyout",
               at + '/' + name + ".key", "-out", at + '/' + name + ".pem"});
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
             at + "/broker.key", "-out", at + "/broker.csr"});
    openssl({"x509", "-req", "-in", at + "/broker.csr", "-CA", at + "/ca.pem", "-CAkey",
             at + "/ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out",
             at + "/broker.pem"});
    auto files = private_broker::tls_files{at + "/ca.pem", at + "/broker.pem", at + "/broker.key"};
    broker = std::make_unique<private_broker>(std::vector<std::string>{}, &files);
  }
  temp_folder folder;
  std::unique_ptr<private_broker> broker;
};

caf::expected<std::unique_ptr<session>> connect(const tls_broker& to, const std::string& host,
                                                const std::string& authority) {
  auto how = session_options{};
  how.ca_file = to.folder.path() + '/' + authority;
  auto where = amqp_endpoint{};
  where.host = host;
  where.port = to.broker->tls_port();
  where.tls = true;
  return session::open(where, how);
}

} // namespace

TEST_CASE("a broker is trusted by its certificate and its name only", "[integration][amqp]") {
  auto world = tls_broker{};
  CHECK(connect(world, "localhost", "ca.pem"));
  // Signed by somebody else, or for somebody else, or by nobody that can be read.
  auto stranger = connect(world, "localhost", "other.pem");
  REQUIRE(!stranger);
  CHECK(stranger.error() == ec::forbidden);
  auto elsewhere = connect(world, "127.0.0.1", "ca.pem");
  REQUIRE(!elsewhere);
  CHECK(elsewhere.error() == ec::forbidden);
  auto unread = connect(world, "localhost", "none.pem");
  REQUIRE(!unread);
  CHECK(unread.error() == ec::invalid_config);
}

TEST_CASE("a wrong password is refused and not repeated", "[integration][amqp]") {
  auto where = amqp_endpoint{};
  where.port = private_broker::shared().port();
  where.password = "canary-of-a-password";
  auto refused = session::open(where, {});
  REQUIRE(!refused);
  CHECK(refused.error() == ec::forbidden);
  CHECK(one_line(refused.error()).find("canary") == std::string::npos);
}
