#include "config/log.hpp"
#include "config/section_node.hpp"
#include "config/text_file.hpp"

#include <sys/stat.h>

#include <cstdlib>

namespace troupe {

namespace {

constexpr auto longest_secret = size_t{64} << 10;

/// A key file that others may read is worth a line, not a refusal: tests and
/// container platforms mount secrets in ways that the operator cannot choose.
void warn_of_wide_mode(const std::string& path) {
  struct stat is {};
  if (::stat(path.c_str(), &is) == 0 && (is.st_mode & 0137) != 0)
    log(log_level::warning, "config", "secret file is open to others; use mode 0640 or 0600",
        {{"file", path}});
}

void trim_newline(std::string& text) {
  if (!text.empty() && text.back() == '\n')
    text.pop_back();
  if (!text.empty() && text.back() == '\r')
    text.pop_back();
}

} // namespace

void section::read_secret(const char* key, std::string& out) {
  auto file_key = std::string{key} + "_file";
  auto env_key = std::string{key} + "_env";
  at_->describe(file_key, "secret", "");
  at_->describe(env_key, "secret", "");
  if (auto x = at_->at->find(key)) {
    at_->know(key);
    at_->complain(*x, key, "a secret is never written here; use " + file_key + " or " + env_key);
    return;
  }
  auto file = at_->take_scalar(file_key, "the path of a file", true);
  auto env = at_->take_scalar(env_key, "the name of a variable", true);
  if (file && env)
    return at_->complain(*env, env_key, "only one of " + file_key + " and " + env_key);
  auto secret = std::string{};
  if (file) {
    auto text = read_text_file(file->text, longest_secret);
    if (!text)
      return at_->complain(*file, file_key, file->text + ": " + explain(text.error()).text);
    warn_of_wide_mode(file->text);
    secret = std::move(*text);
    trim_newline(secret);
    if (secret.empty())
      return at_->complain(*file, file_key, file->text + ": the file is empty");
  } else if (env) {
    auto value = std::getenv(env->text.c_str());
    if (!value || !*value)
      return at_->complain(*env, env_key, "the variable " + env->text + " is not set");
    secret = value;
  } else {
    return;
  }
  mask_in_log(secret);
  out = std::move(secret);
}

} // namespace troupe
