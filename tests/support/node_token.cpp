#include "tests/support/node_token.hpp"

#include "bridges/http/jwt.hpp"

#include <fstream>

namespace troupe::tests {

std::string node_token(const std::string& data_folder) {
  auto in = std::ifstream{data_folder + "/token-secret"};
  auto secret = std::string{};
  if (!std::getline(in, secret))
    return {};
  auto options = jwt_options{};
  options.keys.push_back({"", jwt_algorithm::hs256, secret, {}});
  auto keys = jwt::make(std::move(options));
  if (!keys)
    return {};
  auto token = keys->issue({"test", token_level::admin, std::chrono::hours{12}, {}});
  return token ? *token : std::string{};
}

} // namespace troupe::tests
