#include "nodes/cluster/authority/certificate.hpp"

#include "config/text_file.hpp"
#include "messages/text_rule.hpp"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace troupe {

namespace {

constexpr auto longest_certificate_file = size_t{256} << 10;

int64_t unix_time(const ASN1_TIME* at) {
  auto parts = tm{};
  return ASN1_TIME_to_tm(at, &parts) == 1 ? timegm(&parts) : 0;
}

std::string hex_of(const ASN1_INTEGER* number) {
  auto big = ASN1_INTEGER_to_BN(number, nullptr);
  auto digits = BN_bn2hex(big);
  auto out = std::string{digits == nullptr ? "" : digits};
  OPENSSL_free(digits);
  BN_free(big);
  return out;
}

std::string common_name(const X509_NAME* name) {
  auto at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0)
    return {};
  unsigned char* text = nullptr;
  auto size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0)
    return {};
  auto out = std::string{reinterpret_cast<char*>(text), static_cast<size_t>(size)};
  OPENSSL_free(text);
  return out;
}

std::string address_text(const ASN1_OCTET_STRING* bytes) {
  auto text = std::array<char, INET6_ADDRSTRLEN>{};
  auto family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (ASN1_STRING_length(bytes) != 4 && ASN1_STRING_length(bytes) != 16)
    return "?";
  inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size());
  return text.data();
}

void read_names(const X509* from, certificate_facts& out) {
  auto names =
    static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(from, NID_subject_alt_name, nullptr, nullptr));
  for (auto i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS)
      out.names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                             static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
    else if (name->type == GEN_IPADD)
      out.addresses.push_back(address_text(name->d.iPAddress));
  }
  GENERAL_NAMES_free(names);
}

} // namespace

std::string certificate_pem(const certificate& from) {
  auto bio = BIO_new(BIO_s_mem());
  auto out = std::string{};
  if (PEM_write_bio_X509(bio, from.get()) == 1) {
    char* text = nullptr;
    auto size = BIO_get_mem_data(bio, &text);
    out.assign(text, static_cast<size_t>(size));
  }
  BIO_free(bio);
  return out;
}

caf::expected<certificate> read_certificate(const std::string& path) {
  auto pem = read_text_file(path, longest_certificate_file);
  if (!pem)
    return fault_at(explain(pem.error()).code, path, explain(pem.error()).text);
  auto bio = BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size()));
  auto out = certificate{PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)};
  BIO_free(bio);
  if (!out)
    return fault_at(ec::invalid_argument, path, "holds no certificate: " + openssl_reason());
  return out;
}

void free_chain(stack_st_X509* chain) {
  sk_X509_pop_free(chain, X509_free);
}

int64_t end_of(const certificate_chain& chain) {
  auto out = INT64_MAX;
  for (auto i = 0; chain && i < sk_X509_num(chain.get()); ++i)
    out = std::min(out, unix_time(X509_get0_notAfter(sk_X509_value(chain.get(), i))));
  return out;
}

certificate_facts facts_of(const certificate& from) {
  auto out = certificate_facts{};
  out.subject = common_name(X509_get_subject_name(from.get()));
  read_names(from.get(), out);
  out.authority = X509_check_ca(from.get()) == 1;
  out.not_before = unix_time(X509_get0_notBefore(from.get()));
  out.not_after = unix_time(X509_get0_notAfter(from.get()));
  out.serial = hex_of(X509_get0_serialNumber(from.get()));
  if (auto key = X509_get0_pubkey(from.get()))
    out.fingerprint = fingerprint_of(key);
  return out;
}

bool is_certifiable_host(const std::string& host) {
  auto bytes = std::array<char, 16>{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1
         || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1 || obeys("word", host);
}

} // namespace troupe
