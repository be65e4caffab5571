#include "nodes/cluster/tls_material.hpp"

#include "config/text_file.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cctype>
#include <sstream>

namespace troupe {

namespace {

constexpr auto longest_revocation_file = size_t{1} << 20;

caf::error in_file(const std::string& path, const std::string& text) {
  return fault_at(ec::invalid_argument, path, text);
}

/// Returns what the authority's check of our own certificate says, or nothing.
std::optional<std::string> untrusted(SSL_CTX* ssl, X509* leaf, int purpose) {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(ssl, &chain);
  auto check = std::unique_ptr<X509_STORE_CTX, void (*)(X509_STORE_CTX*)>{X509_STORE_CTX_new(),
                                                                          X509_STORE_CTX_free};
  X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(ssl), leaf, chain);
  X509_STORE_CTX_set_purpose(check.get(), purpose);
  if (X509_verify_cert(check.get()) == 1)
    return std::nullopt;
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
}

void set_protocol(SSL_CTX* ssl) {
  SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION);
  SSL_CTX_set1_groups_list(ssl, "X25519:P-256:P-384");
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(ssl, 2);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ssl, 0);
  SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                          | SSL_MODE_RELEASE_BUFFERS);
}

caf::error use_files(SSL_CTX* ssl, const tls_files& files) {
  if (SSL_CTX_load_verify_file(ssl, files.authority.c_str()) != 1)
    return in_file(files.authority, "holds no certificate of an authority: " + openssl_reason());
  if (SSL_CTX_use_certificate_chain_file(ssl, files.certificate.c_str()) != 1)
    return in_file(files.certificate, "cannot be used: " + openssl_reason());
  auto key = read_private_key(files.key);
  if (!key)
    return std::move(key.error());
  if (SSL_CTX_use_PrivateKey(ssl, key->get()) != 1 || SSL_CTX_check_private_key(ssl) != 1)
    return in_file(files.key, "is not the key of " + files.certificate + ": " + openssl_reason());
  return caf::none;
}

caf::expected<revocations> read_revocations(const std::string& path) {
  auto text = read_text_file(path, longest_revocation_file);
  if (!text)
    return fault_at(explain(text.error()).code, path, explain(text.error()).text);
  auto out = revocations{};
  auto lines = std::istringstream{*text};
  auto number = 0;
  for (auto line = std::string{}; std::getline(lines, line);) {
    ++number;
    auto words = std::istringstream{line.substr(0, line.find('#'))};
    auto entry = std::string{};
    auto more = std::string{};
    if (!(words >> entry))
      continue;
    auto print = entry.starts_with("sha256:");
    auto digits = print ? entry.substr(7) : entry;
    if (words >> more || digits.empty() || (print && digits.size() != 64)
        || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
      return in_file(path + ':' + std::to_string(number),
                     "expected a serial or a fingerprint \"sha256:...\", nothing else");
    // Serials are listed in upper case, fingerprints in lower case.
    for (auto& c : digits)
      c = static_cast<char>(print ? std::tolower(c) : std::toupper(c));
    out.insert(print ? "sha256:" + digits : digits);
  }
  return out;
}

} // namespace

refusal refusal_of_chain(int code) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return refusal::expired;
    default: return refusal::foreign_authority;
  }
}

std::optional<refusal> judge(const tls_material& by, const certificate_chain& chain) {
  if (!chain || sk_X509_num(chain.get()) == 0)
    return refusal::no_certificate;
  auto check = std::unique_ptr<X509_STORE_CTX, void (*)(X509_STORE_CTX*)>{X509_STORE_CTX_new(),
                                                                          X509_STORE_CTX_free};
  X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(by.ssl.get()),
                      sk_X509_value(chain.get(), 0), chain.get());
  if (X509_verify_cert(check.get()) == 1)
    return std::nullopt;
  return refusal_of_chain(X509_STORE_CTX_get_error(check.get()));
}

caf::expected<std::shared_ptr<const tls_material>> read_tls_material(const tls_files& files) {
  auto out = std::make_shared<tls_material>();
  auto own = read_certificate(files.certificate);
  if (!own)
    return std::move(own.error());
  if (auto authority = read_certificate(files.authority); !authority)
    return std::move(authority.error());
  out->own = facts_of(*own);
  if (out->own.names.empty())
    return in_file(files.certificate, "names no node (subject alternative name of kind DNS)");
  out->ssl = {SSL_CTX_new(TLS_method()), SSL_CTX_free};
  set_protocol(out->ssl.get());
  if (auto err = use_files(out->ssl.get(), files))
    return err;
  for (auto purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT})
    if (auto why = untrusted(out->ssl.get(), own->get(), purpose))
      return in_file(files.certificate, "is not accepted by " + files.authority + ": " + *why);
  if (files.revoked) {
    auto revoked = read_revocations(*files.revoked);
    if (!revoked)
      return std::move(revoked.error());
    out->revoked = std::move(*revoked);
  }
  return std::shared_ptr<const tls_material>{std::move(out)};
}

} // namespace troupe
