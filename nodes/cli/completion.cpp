#include "nodes/cli/completion.hpp"

#include "nodes/cli/program.hpp"
#include "nodes/role.hpp"

#include <CLI/CLI.hpp>

#include <numeric>
#include <ostream>
#include <set>

namespace troupe::cli {

namespace {

std::string option_words(const CLI::App& app) {
  auto out = std::string{};
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames())
      out += (out.empty() ? "--" : " --") + name;
    for (const auto& name : option->get_snames())
      out += (out.empty() ? "-" : " -") + name;
  }
  return out;
}

bool wants_job(const CLI::App& verb) {
  for (const auto* option : verb.get_options())
    if (option->get_positional() && option->get_name(true) == "JOB")
      return true;
  return false;
}

std::string verb_words(const CLI::App& app) {
  auto out = std::string{};
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    out += (out.empty() ? "" : " ") + verb->get_name();
  return out;
}

/// Returns the options of the inner verbs, each once.
std::string inner_option_words(const CLI::App& verb) {
  auto out = std::set<std::string>{};
  for (const auto* inner : verb.get_subcommands([](const CLI::App*) { return true; }))
    for (const auto* option : inner->get_options())
      for (const auto& name : option->get_lnames())
        if (name != "help")
          out.insert("--" + name + ' ');
  return std::accumulate(out.begin(), out.end(), std::string{});
}

/// Returns the roles that a node may play.
std::string role_words() {
  auto out = std::string{};
  for (const auto& row : role_table())
    out += (out.empty() ? "" : " ") + std::string{row.name};
  return out;
}

/// Returns the branch of the script for one verb.
std::string branch(const CLI::App& app, const CLI::App& verb) {
  auto words = inner_option_words(verb) + option_words(verb) + ' ' + option_words(app);
  auto inner = verb_words(verb);
  auto out = "    " + verb.get_name() + ")\n      words=\"" + (inner.empty() ? "" : inner + ' ')
             + words + "\"\n";
  if (wants_job(verb))
    out += "      if [[ $cur != -* ]]; then\n"
           "        words=$(\"${COMP_WORDS[0]}\" ls --limit 50 --quiet 2>/dev/null)\n"
           "      fi\n";
  return out + "      ;;\n";
}

} // namespace

std::string bash_completion(const CLI::App& app) {
  auto out = std::string{
    "# bash completion for troupe; written by \"troupe completion bash\".\n"
    "_troupe() {\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "  local verb= words= i\n"
    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "    case ${COMP_WORDS[i]} in\n"
    "      --server|--token-file|--data|--timeout) ((i++)) ;;\n"
    "      -*) ;;\n"
    "      *) verb=${COMP_WORDS[i]}; break ;;\n"
    "    esac\n"
    "  done\n"
    "  case $prev in\n"
    "    --state)\n"
    "      words=\"queued running finished\"\n"
    "      [[ $verb == machines ]] && words=\"busy idle lost shutdown unknown quarantined "
    "stale overdue suspect missing\" ;;\n"
    "    --sort) words=\"lastseen -lastseen id\" ;;\n"
    "    --quarantined) words=\"true false\" ;;\n"
    "    --result) words=\"pass fail neutral error timeout canceled\" ;;\n"
    "    --role)\n"
    "      words=\"read submit admin\"\n"
    "      [[ $verb == cluster ]] && words=\""
    + role_words()
    + "\" ;;\n"
      "    --test|--token-file|--jwt-secret-file|--secret-file|--config|-o|--output)\n"
      "      COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
      "    --data|--dir) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
      "  esac\n"
      "  if [[ -n $words ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "    return\n"
      "  fi\n"
      "  case $verb in\n"};
  out += "    \"\") words=\"" + verb_words(app) + ' ' + option_words(app) + "\" ;;\n";
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    out += branch(app, *verb);
  out += "  esac\n"
         "  if [[ $verb == config && $cur != -* && $prev != config ]]; then\n"
         "    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
         "    return\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -F _troupe troupe\n";
  return out;
}

void add_completion(program& p) {
  auto verb = p.verb("completion", "Print the completion script of a shell",
                     "  troupe completion bash > /etc/bash_completion.d/troupe\n"
                     "  source <(troupe completion bash)\n");
  verb->require_subcommand(1);
  auto bash = verb->add_subcommand("bash", "For bash");
  bash->callback([&p] { p.io.out << bash_completion(p.app); });
}

} // namespace troupe::cli
