#include "nodes/cluster/tls_session.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

namespace troupe {

namespace {

constexpr auto largest_call = size_t{1} << 20;

bool is_alert_of_peer(int reason) {
  return reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

} // namespace

tls_session::tls_session(std::shared_ptr<const tls_material> material, int fd, role as,
                         judge_function judge)
  : material_{std::move(material)}, ssl_{SSL_new(material_->ssl.get())}, judge_{std::move(judge)} {
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_certificate);
  SSL_set_fd(ssl_.get(), fd);
  if (as == role::server)
    SSL_set_accept_state(ssl_.get());
  else
    SSL_set_connect_state(ssl_.get());
}

tls_session::~tls_session() = default;

int tls_session::on_certificate(int good, X509_STORE_CTX* check) {
  auto ssl =
    static_cast<SSL*>(X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& self = *static_cast<tls_session*>(SSL_get_app_data(ssl));
  if (!good) {
    auto code = X509_STORE_CTX_get_error(check);
    self.judged_ = true;
    self.why_ = refusal_of_chain(code);
    self.detail_ = X509_verify_cert_error_string(code);
    if (auto leaf = X509_STORE_CTX_get0_cert(check); leaf != nullptr && X509_up_ref(leaf) == 1)
      self.peer_ = facts_of(certificate{leaf});
    return 0;
  }
  if (X509_STORE_CTX_get_error_depth(check) != 0)
    return 1;
  if (self.accept(X509_STORE_CTX_get0_cert(check)))
    return 1;
  // TLS tells the peer by an alert; the cluster's list has none of its own.
  X509_STORE_CTX_set_error(check, self.why_ == refusal::revoked
                                    ? X509_V_ERR_CERT_REVOKED
                                    : X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

bool tls_session::accept(X509* leaf) {
  if (leaf == nullptr || X509_up_ref(leaf) != 1)
    return false;
  peer_ = facts_of(certificate{leaf});
  auto refused = judge_(peer_);
  if (!refused)
    return true;
  judged_ = true;
  why_ = *refused;
  detail_.clear();
  return false;
}

tls_session::step tls_session::handshake() {
  ERR_clear_error();
  auto result = SSL_do_handshake(ssl_.get());
  if (result == 1)
    return step::done;
  switch (auto code = SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return step::wants_read;
    case SSL_ERROR_WANT_WRITE: return step::wants_write;
    default: explain_failure(code); return step::failed;
  }
}

void tls_session::explain_failure(int code) {
  auto reason = ERR_GET_REASON(ERR_peek_error());
  auto words = openssl_reason();
  if (judged_)
    return;
  detail_ = words;
  if (code != SSL_ERROR_SSL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    why_ = refusal::hung_up;
  else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    why_ = refusal::no_certificate;
  else
    why_ = is_alert_of_peer(reason) ? refusal::refused_us : refusal::no_tls;
}

ssize_t tls_session::outcome(int moved) {
  if (moved > 0)
    return moved;
  auto code = SSL_get_error(ssl_.get(), moved);
  if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
    return 0;
  explain_failure(code);
  return -1;
}

ssize_t tls_session::read(void* into, size_t size) {
  ERR_clear_error();
  return outcome(SSL_read(ssl_.get(), into, static_cast<int>(std::min(size, largest_call))));
}

ssize_t tls_session::write(const void* from, size_t size) {
  ERR_clear_error();
  return outcome(SSL_write(ssl_.get(), from, static_cast<int>(std::min(size, largest_call))));
}

certificate_chain tls_session::chain() const {
  auto verified = SSL_get0_verified_chain(ssl_.get());
  return {verified != nullptr ? X509_chain_up_ref(verified) : nullptr, free_chain};
}

size_t tls_session::pending() const {
  return static_cast<size_t>(SSL_pending(ssl_.get()));
}

} // namespace troupe
