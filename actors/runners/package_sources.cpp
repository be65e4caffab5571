#include "actors/runners/package_sources.hpp"

#include "actors/runners/dist_family.hpp"
#include "messages/text_rule.hpp"

#include <algorithm>
#include <set>

namespace troupe {

namespace {

constexpr auto armor = std::string_view{"-----BEGIN PGP PUBLIC KEY BLOCK-----"};

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [text](std::string_view start) { return text.starts_with(start); });
}

bool is_url(std::string_view text) {
  return starts_with_any(text, {"http://", "https://", "file:///"})
         && text.find_first_of(" \t[]\"'\\") == std::string_view::npos;
}

bool is_apt_line(std::string_view text) {
  return starts_with_any(text, {"deb ", "deb-src "});
}

/// A whole apt line in its parts.
struct apt_parts {
  std::string_view type;
  std::string_view options; ///< Without the brackets.
  std::string_view rest;    ///< URL, suite, components.
};

std::string_view trimmed_left(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

apt_parts split_apt_line(std::string_view line) {
  auto parts = apt_parts{};
  auto space = std::min(line.find(' '), line.size());
  parts.type = line.substr(0, space);
  line = trimmed_left(line.substr(space));
  if (line.starts_with('[')) {
    auto end = std::min(line.find(']'), line.size() - 1);
    parts.options = line.substr(1, end - 1);
    line = trimmed_left(line.substr(end + 1));
  }
  parts.rest = line;
  return parts;
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find(' '));
}

caf::error check_repository(const repository& source, const std::string& place,
                            dist_family family) {
  auto bad = [&](const char* field, const char* text) {
    return fault_at(ec::invalid_argument, place + field, text);
  };
  if (!source.name.empty() && !obeys("name", source.name))
    return bad(".name", "has characters that are not allowed in a name");
  if (!obeys("line", source.url))
    return bad(".url", "must be one line");
  auto url = family == dist_family::deb && is_apt_line(source.url)
               ? first_word(split_apt_line(source.url).rest)
               : std::string_view{source.url};
  if (!is_url(url))
    return bad(".url", "must be an http, https or file URL");
  if (!source.gpg_key.empty() && !is_armored(source.gpg_key)
      && (!source.gpg_key.starts_with("https://") || !is_url(source.gpg_key)
          || !obeys("line", source.gpg_key)))
    return bad(".gpg_key", "must be an https URL or an armored key");
  return {};
}

caf::error check_further(const third_party_test& test, const std::string& place) {
  auto bad = [&](const char* field, const char* text) {
    return fault_at(ec::invalid_argument, place + field, text);
  };
  if (!test.name.empty() && !obeys("name", test.name))
    return bad(".name", "has characters that are not allowed in a name");
  if (test.script.empty() == test.url.empty())
    return bad(".script", "exactly one of script and url must be given");
  if (!test.url.empty()
      && (!starts_with_any(test.url, {"http://", "https://"}) || !is_url(test.url)
          || !obeys("line", test.url)))
    return bad(".url", "must be an http or https URL");
  if (!test.test_dir.empty() && !obeys("path", test.test_dir))
    return bad(".test_dir", "must be a relative path");
  if (!test.url.empty() && !obeys("git_ref", test.git_ref))
    return bad(".git_ref", "has characters that are not allowed in a git_ref");
  for (const auto& name : test.tests_to_run)
    if (!obeys("name", name))
      return bad(".tests_to_run", "has characters that are not allowed in a name");
  return {};
}

std::string percent_decoded(std::string_view text) {
  auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  auto out = std::string{};
  for (auto i = size_t{0}; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0
        && digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

} // namespace

caf::error check_test(const test_spec& spec) {
  auto bad = [](const char* field, const char* text) {
    return fault_at(ec::invalid_argument, field, text);
  };
  auto family = family_of(spec.dist_name);
  if (!family)
    return fault_at(ec::unsupported, "dist_name",
                    "is not a distribution that packages are tested on");
  if (!obeys("name", spec.package_name))
    return bad("package_name", "has characters that are not allowed in a name");
  // apt takes "name-" for "remove name".
  if (*family == dist_family::deb && spec.package_name.ends_with('-'))
    return bad("package_name", "must not end in '-'");
  if (!spec.package_version.empty() && !obeys("name", spec.package_version))
    return bad("package_version", "has characters that are not allowed in a version");
  if (!std::all_of(spec.package_epoch.begin(), spec.package_epoch.end(),
                   [](char c) { return c >= '0' && c <= '9'; }))
    return bad("package_epoch", "must be a number");
  if (!spec.dist_version.empty() && !obeys("word", spec.dist_version))
    return bad("dist_version", "has characters that are not allowed in a word");
  for (auto* part : {&spec.module_name, &spec.module_stream, &spec.module_version})
    if (!part->empty() && !obeys("name", *part))
      return bad("module_name", "has characters that are not allowed in a module");
  for (const auto& variable : spec.variables)
    if (!obeys("variable", variable.name))
      return bad("variables", "has characters that are not allowed in a variable");
  for (auto i = size_t{0}; i < spec.repositories.size(); ++i)
    if (auto why = check_repository(spec.repositories[i], "repositories[" + std::to_string(i) + ']',
                                    *family))
      return why;
  for (auto i = size_t{0}; i < spec.tests.size(); ++i)
    if (auto why = check_further(spec.tests[i], "tests[" + std::to_string(i) + ']'))
      return why;
  return {};
}

bool is_armored(std::string_view gpg_key) {
  return gpg_key.find(armor) != std::string_view::npos;
}

bool needs_https(const repository& source) {
  return source.url.find("https://") != std::string::npos || source.gpg_key.starts_with("https://");
}

std::string apt_line(const repository& source, std::string_view arch, std::string_view key_file) {
  auto line = is_apt_line(source.url);
  auto parts = line ? split_apt_line(source.url) : apt_parts{"deb", {}, {}};
  auto options = std::string{parts.options};
  auto add = [&options](std::string_view name, std::string_view value) {
    // What the caller wrote himself stands.
    if ((' ' + options).find(' ' + std::string{name} + '=') != std::string::npos)
      return;
    options += (options.empty() ? "" : " ") + std::string{name} + '=' + std::string{value};
  };
  add("arch", arch);
  if (!key_file.empty())
    add("signed-by", key_file);
  else if (options.find("signed-by=") == std::string::npos)
    add("trusted", "yes");
  auto target = line ? std::string{parts.rest} : source.url + " ./";
  return std::string{parts.type} + " [" + options + "] " + target;
}

std::vector<std::string> repository_names(const std::vector<repository>& sources) {
  auto out = std::vector<std::string>{};
  auto taken = std::set<std::string>{};
  auto unnamed = size_t{0};
  for (const auto& source : sources) {
    auto name = source.name.empty() ? "repo-" + std::to_string(unnamed++) : source.name;
    std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '+' || c == '~' || c == ':'; }, '_');
    auto unique = name;
    for (auto i = 2; !taken.insert(unique).second; ++i)
      unique = name + '-' + std::to_string(i);
    out.push_back(std::move(unique));
  }
  return out;
}

std::string repo_file(std::string_view name, const repository& source, std::string_view key) {
  auto id = std::string{name};
  auto text =
    '[' + id + "]\nname=" + id + "\nbaseurl=" + source.url + "\nenabled=1\nskip_if_unavailable=0\n";
  if (key.empty())
    return text + "gpgcheck=0\nrepo_gpgcheck=0\n";
  return text + "gpgcheck=1\ngpgkey=" + std::string{key} + '\n';
}

std::vector<std::string> url_secrets(std::string_view url) {
  auto start = url.find("://");
  if (start == std::string_view::npos)
    return {};
  auto rest = url.substr(start + 3);
  rest = rest.substr(0, rest.find_first_of("/?# "));
  auto at = rest.rfind('@');
  if (at == std::string_view::npos)
    return {};
  auto user = rest.substr(0, at);
  auto out = std::vector<std::string>{std::string{user}};
  if (auto colon = user.find(':'); colon != std::string_view::npos) {
    out.emplace_back(user.substr(colon + 1));
    out.push_back(percent_decoded(user.substr(colon + 1)));
  }
  return out;
}

std::vector<std::string> secrets_of(const test_spec& spec) {
  auto out = std::vector<std::string>{};
  auto add = [&out](std::vector<std::string> more) {
    out.insert(out.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  };
  for (const auto& variable : spec.variables)
    if (variable.secret && !variable.value.empty())
      out.push_back(variable.value);
  for (const auto& source : spec.repositories) {
    add(url_secrets(source.url));
    add(url_secrets(source.gpg_key));
  }
  for (const auto& test : spec.tests)
    add(url_secrets(test.url));
  return out;
}

} // namespace troupe
