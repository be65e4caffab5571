/// How a certificate of a cluster is made.
#include "nodes/cluster/authority/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include <array>

namespace troupe {

namespace {

constexpr auto longest_common_name = size_t{64}; // RFC 5280, ub-common-name

bool is_address(const std::string& host) {
  auto bytes = std::array<char, 16>{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1
         || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

/// A random number of 159 bits: no two certificates of a cluster have the same.
bool set_serial(X509* of) {
  auto number = BN_new();
  auto good = BN_rand(number, 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1
              && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(of)) != nullptr;
  BN_free(number);
  return good;
}

bool set_times(X509* of, int64_t not_before, int64_t not_after) {
  auto begin = static_cast<time_t>(not_before);
  auto end = static_cast<time_t>(not_after);
  return X509_time_adj_ex(X509_getm_notBefore(of), 0, 0, &begin) != nullptr
         && X509_time_adj_ex(X509_getm_notAfter(of), 0, 0, &end) != nullptr;
}

bool set_subject(X509* of, const std::string& name) {
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(of), NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0)
         == 1;
}

bool add_extension(X509* to, X509* issuer, int kind, const std::string& value) {
  auto context = X509V3_CTX{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  auto extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  auto good = extension != nullptr && X509_add_ext(to, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return good;
}

/// The names were checked: none has a comma or a colon that would end its entry, but IPv6.
std::string alternative_names(const certificate_order& order) {
  auto out = "DNS:" + order.node;
  for (const auto& host : order.hosts)
    out += (is_address(host) ? ",IP:" : ",DNS:") + host;
  // A certificate without a subject must say that its names count (RFC 5280, 4.2.1.6).
  return (order.node.size() > longest_common_name ? "critical," : "") + out;
}

bool add_purpose(X509* to, X509* issuer, const certificate_order& order) {
  if (order.node.empty())
    return add_extension(to, issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
           && add_extension(to, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  return add_extension(to, issuer, NID_basic_constraints, "critical,CA:FALSE")
         && add_extension(to, issuer, NID_key_usage, "critical,digitalSignature")
         && add_extension(to, issuer, NID_ext_key_usage, "serverAuth,clientAuth")
         && add_extension(to, issuer, NID_subject_alt_name, alternative_names(order));
}

std::string subject_of(const certificate_order& order, const key_pair& key) {
  if (order.node.size() > longest_common_name)
    return {};
  // Two authorities differ in name, or a verifier could take one for the other.
  return order.node.empty() ? "Troupe cluster " + fingerprint_of(key.get()).substr(7, 16)
                            : order.node;
}

} // namespace

caf::expected<certificate> sign_certificate(const certificate_order& order, const key_pair& subject,
                                            const key_pair& signer, const certificate& issuer) {
  auto out = certificate{X509_new()};
  auto of = out.get();
  auto from = issuer ? issuer.get() : of;
  auto name = subject_of(order, subject);
  auto good =
    of != nullptr && X509_set_version(of, X509_VERSION_3) == 1 && set_serial(of)
    && set_times(of, order.not_before, order.not_after) && (name.empty() || set_subject(of, name))
    && X509_set_issuer_name(of, X509_get_subject_name(from)) == 1
    && X509_set_pubkey(of, subject.get()) == 1
    && add_extension(of, from, NID_subject_key_identifier, "hash")
    && add_extension(of, from, NID_authority_key_identifier, "keyid:always")
    && add_purpose(of, from, order)
    // Ed25519 hashes by itself; other keys of an authority get SHA-256.
    && X509_sign(of, signer.get(),
                 EVP_PKEY_get_id(signer.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256())
         > 0;
  if (!good)
    return fault(ec::unavailable, "the certificate cannot be made: " + openssl_reason());
  return out;
}

} // namespace troupe
