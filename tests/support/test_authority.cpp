#include "tests/support/test_authority.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

namespace troupe::tests {

namespace {

template <class T>
T sure(caf::expected<T> x) {
  if (!x)
    std::abort();
  return std::move(*x);
}

} // namespace

test_authority::test_authority(int64_t to) : key_{sure(make_key_pair())} {
  auto now = static_cast<int64_t>(std::time(nullptr));
  own_ = sure(sign_certificate({"", {}, now - 86'400, now + to}, key_, key_, nullptr));
}

std::string test_authority::write(const std::string& path, const std::string& text,
                                  unsigned mode) const {
  std::ofstream{path} << text;
  ::chmod(path.c_str(), mode);
  return path;
}

tls_files test_authority::issue(const std::string& node, oddities odd) {
  auto place = folder_.path() + '/' + std::to_string(++issued_) + '-';
  auto now = static_cast<int64_t>(std::time(nullptr));
  auto key = sure(make_key_pair());
  auto cert = sure(sign_certificate({node, {}, now + odd.from, now + odd.to}, key, key_, own_));
  auto out = tls_files{};
  out.certificate = write(place + "node.pem", certificate_pem(cert), 0644);
  out.key = write(place + "node.key", private_pem(key), 0600);
  out.authority = write(place + "ca.pem", certificate_pem(own_), 0644);
  return out;
}

std::string test_authority::fingerprint(const tls_files& of) const {
  return facts_of(sure(read_certificate(of.certificate))).fingerprint;
}

std::string test_authority::serial(const tls_files& of) const {
  return facts_of(sure(read_certificate(of.certificate))).serial;
}

} // namespace troupe::tests
