#include "tests/support/node_process.hpp"

#include "bridges/http/client.hpp"
#include "tests/support/node_token.hpp"
#include "tests/support/slurp.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <sstream>

namespace troupe::tests {

std::string program(const std::string& name) {
  auto folder = name.rfind("troupe", 0) == 0 ? "/nodes/" : "/tests/";
  return TROUPE_BINARY_DIR + std::string{folder} + name;
}

node_process::node_process(std::string roles, std::vector<std::string> variables,
                           const std::string& name, const std::string& options)
  : roles_{std::move(roles)}, variables_{std::move(variables)} {
  auto config = std::ofstream{folder_.path() + "/node.yaml"};
  config << "node:\n  name: " << name << "\n  data: " << data_ << '\n'
         << options << "roles:" << roles_;
}

void node_process::launch() {
  std::filesystem::remove(data_ + "/http.address");
  auto command = under_;
  for (const auto& word : {program_.empty() ? program("troupe-node") : program_,
                           std::string{"--config"}, folder_.path() + "/node.yaml"})
    command.push_back(word);
  process_ = std::make_unique<child_process>(command, variables_, folder_.path() + "/node.log");
}

void node_process::start() {
  launch();
  if (!await_ready())
    FAIL("the node does not become ready:\n" << log());
}

bool node_process::await_ready(std::chrono::milliseconds limit) {
  return await(limit, [this] { return get("/healthz/ready").status == 200; });
}

void node_process::crash() {
  process_->signal(SIGKILL);
  if (!process_->wait(std::chrono::seconds{20}))
    FAIL("the node survives SIGKILL");
}

std::optional<int> node_process::stop(std::chrono::milliseconds limit) {
  process_->signal(SIGTERM);
  return process_->wait(limit);
}

uint16_t node_process::port() const {
  auto address = slurp(data_ + "/http.address");
  auto colon = address.rfind(':');
  return colon == std::string::npos ? uint16_t{0}
                                    : static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1));
}

std::string node_process::server() const {
  return "http://127.0.0.1:" + std::to_string(port());
}

std::string node_process::log() const {
  return slurp(folder_.path() + "/node.log");
}

json node_process::answer::document() const {
  auto out = parse_json_text(body, {64, 10'000'000});
  if (!out)
    FAIL("not JSON: " << body);
  return *out;
}

node_process::answer
node_process::request(const std::string& method, const std::string& path, const std::string& body,
                      const std::vector<std::pair<std::string, std::string>>& headers,
                      bool with_token) const {
  auto options = http_client_options{};
  options.port = port();
  if (options.port == 0)
    return {};
  if (with_token)
    options.token = node_token(data_);
  auto client = http_client{options};
  auto got = client.request(method, path, body, {headers.begin(), headers.end()});
  if (!got)
    return {};
  return {got->status, std::move(got->body)};
}

node_process::answer node_process::get(const std::string& path) const {
  return request("GET", path, {}, {}, true);
}

node_process::answer
node_process::post(const std::string& path, const std::string& body,
                   const std::vector<std::pair<std::string, std::string>>& headers) const {
  return request("POST", path, body, headers, true);
}

std::string node_process::submit(const json& body) const {
  auto got = post("/jobs", json_text(body));
  if (got.status != 201)
    FAIL("submission refused: " << got.status << ' ' << got.body);
  return got.document().at("job_id").get<std::string>();
}

json node_process::job(const std::string& id) const {
  auto got = get("/jobs/" + id);
  if (got.status != 200)
    FAIL("no such job: " << got.status << ' ' << got.body);
  return got.document();
}

json node_process::await_job(const std::string& id, std::chrono::seconds limit) const {
  auto out = json{};
  auto done = await(limit, [&] {
    out = job(id);
    return out.at("state") == "finished";
  });
  if (!done)
    FAIL("job does not finish: " << out.dump(1) << "\n" << log());
  return out;
}

} // namespace troupe::tests
