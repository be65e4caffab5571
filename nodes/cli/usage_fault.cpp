#include "nodes/cli/usage_fault.hpp"

#include "config/units.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace troupe::cli {

namespace {

using words = std::vector<std::string>;

constexpr auto longest_typo = size_t{64};

/// The verb that was reached, or the program itself.
const CLI::App& innermost(const CLI::App& app) {
  auto inner = app.get_subcommands();
  return inner.empty() ? app : innermost(*inner.back());
}

words verbs_of(const CLI::App& app) {
  auto out = words{};
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    out.push_back(verb->get_name());
  return out;
}

void add_options(const CLI::App& app, words& out) {
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames())
      out.push_back("--" + name);
}

/// Returns ", did you mean ...?" if one of the known words is near.
std::string advice(const std::string& word, const words& known) {
  auto nearest = std::string{};
  auto best = std::max<size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : known)
    if (auto d = word.size() > longest_typo ? best : edit_distance(word, candidate); d < best) {
      best = d;
      nearest = candidate;
    }
  return nearest.empty() ? "" : ", did you mean \"" + nearest + "\"?";
}

std::string joined_words(const words& all) {
  auto out = std::string{};
  for (const auto& word : all)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string unknown_verb(const std::string& word, const CLI::App& at) {
  auto known = verbs_of(at);
  auto near = advice(word, known);
  return "unknown verb \"" + word + '"'
         + (near.empty() ? "; there are " + joined_words(known) : near);
}

std::string unknown_option(std::string word, const CLI::App& app, const CLI::App& at) {
  word = word.substr(0, word.find('='));
  auto known = words{};
  add_options(at, known);
  add_options(app, known);
  return "unknown option \"" + word + '"' + advice(word, known);
}

std::string usage_text(const CLI::App& app, const CLI::ParseError& why) {
  const auto& at = innermost(app);
  auto wants_verb = at.get_require_subcommand_min() > 0;
  auto rest = app.remaining(true);
  auto is_option = [](const std::string& word) { return word.size() > 1 && word[0] == '-'; };
  auto option = std::find_if(rest.begin(), rest.end(), is_option);
  auto word = std::find_if_not(rest.begin(), rest.end(), is_option);
  auto code = static_cast<CLI::ExitCodes>(why.get_exit_code());
  auto is_about_words =
    code == CLI::ExitCodes::ExtrasError || code == CLI::ExitCodes::RequiredError;
  if (is_about_words && wants_verb && word != rest.end())
    return unknown_verb(*word, at);
  if (is_about_words && option != rest.end())
    return unknown_option(*option, app, at);
  if (wants_verb && code == CLI::ExitCodes::RequiredError)
    return "a verb is missing; there are " + joined_words(verbs_of(at));
  auto out = std::string{why.what()};
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

} // namespace

caf::error usage_fault(const CLI::App& app, const CLI::ParseError& why) {
  return fault(ec::invalid_argument, usage_text(app, why));
}

} // namespace troupe::cli
