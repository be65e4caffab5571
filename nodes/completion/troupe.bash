# bash completion for troupe; written by "troupe completion bash".
_troupe() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local verb= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --server|--token-file|--data|--timeout) ((i++)) ;;
      -*) ;;
      *) verb=${COMP_WORDS[i]}; break ;;
    esac
  done
  case $prev in
    --state)
      words="queued running finished"
      [[ $verb == machines ]] && words="busy idle lost shutdown unknown quarantined stale overdue suspect missing" ;;
    --sort) words="lastseen -lastseen id" ;;
    --quarantined) words="true false" ;;
    --result) words="pass fail neutral error timeout canceled" ;;
    --role)
      words="read submit admin"
      [[ $verb == cluster ]] && words="journal jobs artifacts history objects statistics machines tests amqp http" ;;
    --test|--token-file|--jwt-secret-file|--secret-file|--config|-o|--output)
      COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --data|--dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
  esac
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case $verb in
    "") words="submit watch ls show logs cancel retry artifacts objects machines preload runners queues queue nodes stats token cluster config completion version --help -h --version --server --token-file --data --json --timeout" ;;
    submit)
      words="--help -h --dist --arch --version --repo --gpg-key --test --env --secret-env --runner --priority --idempotency-key --no-wait --log --raw --help -h --version --server --token-file --data --json --timeout"
      ;;
    watch)
      words="--help -h --log --raw --help -h --version --server --token-file --data --json --timeout"
      if [[ $cur != -* ]]; then
        words=$("${COMP_WORDS[0]}" ls --limit 50 --quiet 2>/dev/null)
      fi
      ;;
    ls)
      words="--help -h --state --result --package --dist --queue --owner --limit --all --quiet -q --help -h --version --server --token-file --data --json --timeout"
      ;;
    show)
      words="--help -h --help -h --version --server --token-file --data --json --timeout"
      if [[ $cur != -* ]]; then
        words=$("${COMP_WORDS[0]}" ls --limit 50 --quiet 2>/dev/null)
      fi
      ;;
    logs)
      words="--help -h --stage --run --follow -f --raw --help -h --version --server --token-file --data --json --timeout"
      if [[ $cur != -* ]]; then
        words=$("${COMP_WORDS[0]}" ls --limit 50 --quiet 2>/dev/null)
      fi
      ;;
    cancel)
      words="--help -h --help -h --version --server --token-file --data --json --timeout"
      if [[ $cur != -* ]]; then
        words=$("${COMP_WORDS[0]}" ls --limit 50 --quiet 2>/dev/null)
      fi
      ;;
    retry)
      words="--help -h --no-wait --log --help -h --version --server --token-file --data --json --timeout"
      if [[ $cur != -* ]]; then
        words=$("${COMP_WORDS[0]}" ls --limit 50 --quiet 2>/dev/null)
      fi
      ;;
    artifacts)
      words="--help -h --run --get --output -o --help -h --version --server --token-file --data --json --timeout"
      if [[ $cur != -* ]]; then
        words=$("${COMP_WORDS[0]}" ls --limit 50 --quiet 2>/dev/null)
      fi
      ;;
    objects)
      words="submit ls show dead retry purge --all --content --idempotency-key --limit --name --help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
    machines)
      words="ls show tasks summary export quarantine lift rm expected --all --datacenter --for --limit --provisioner --quarantined --quiet --redis --seen-after --seen-before --sort --stale-for --state --status --type --until --why --help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
    preload)
      words="--help -h --redis --force --help -h --version --server --token-file --data --json --timeout"
      ;;
    runners)
      words="--help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
    queues)
      words="--help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
    queue)
      words="ls peek replay purge --max --yes --help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
    nodes)
      words="--help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
    stats)
      words="export --help -h --watch --console --help -h --version --server --token-file --data --json --timeout"
      ;;
    token)
      words="--help -h --sub --role --ttl --aud --jti --jwt-secret-file --secret-file --config -c --email -e --hash-algorithm -a --jwt-secret -s --help -h --version --server --token-file --data --json --timeout"
      ;;
    cluster)
      words="init cert show --days --dir --host --new-key --renew --role --help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
    config)
      words="check show --keys-only --help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
    completion)
      words="bash --help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
    version)
      words="--help -h --help -h --version --server --token-file --data --json --timeout"
      ;;
  esac
  if [[ $verb == config && $cur != -* && $prev != config ]]; then
    COMPREPLY=($(compgen -f -- "$cur"))
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _troupe troupe
