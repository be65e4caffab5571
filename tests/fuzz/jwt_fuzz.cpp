/// Any bytes as a token, as a header and as sealed claims: nothing crashes, and
/// nothing that was not signed is accepted.
#include "bridges/http/jwt.hpp"
#include "bridges/http/jwt_claims.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

const auto at = caf::timestamp{std::chrono::seconds{1'790'000'000}};

troupe::jwt_options options() {
  auto out = troupe::jwt_options{};
  out.keys = {{"", troupe::jwt_algorithm::hs256, "k9Zq3vWm8LrT1xYb6NcD4hJf7GsP2aEu", {}}};
  out.accept_alts = true;
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const auto limits = options();
  static const auto tokens = troupe::jwt::make(limits);
  auto text = std::string_view{reinterpret_cast<const char*>(bytes), size};
  // The corpus is signed with another secret, so no input is a good token.
  if (tokens->verify(text, at) || tokens->verify_header(text))
    std::abort();
  if (auto raw = troupe::from_base64url(text); raw && troupe::to_base64url(*raw) != text)
    std::abort();
  if (auto header = troupe::read_jwt_header(text); header && header->algorithm.empty())
    std::abort();
  auto who = troupe::read_jwt_claims(text, troupe::jwt_algorithm::hs256, limits, at);
  if (who && (who->subject.empty() || who->level == troupe::token_level::none))
    std::abort();
  return 0;
}
