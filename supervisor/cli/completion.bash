# Completion of `hastur` and `trigger-test` for bash: `source` this file, or install it as
# ~/.local/share/bash-completion/completions/hastur (and, as a link, …/trigger-test).
#
# tests/supervisor/cli/programs_test.cc holds the tables against what the programs take.

# The commands of a program.
_hastur_commands() {
  case $1 in
    hastur)
      echo check demo deploy deployments diff explain export hook host-metrics import incidents init-repo list new \
        notifications notify notify-test pause replay restore resume rollback run send show silence snapshots status tail test trace \
        unpin unsilence ;;
    trigger-test) echo backtest diff explain new run trace ;;
  esac
}

# The flags of "PROGRAM" or "PROGRAM COMMAND".
_hastur_flags() {
  case $1 in
    hastur) echo --version ;;
    hastur\ send) echo --label --field --to ;;
    hastur\ list | hastur\ show | hastur\ snapshots) echo --http --json ;;
    hastur\ status) echo --http ;;
    hastur\ pause | hastur\ resume | hastur\ restore) echo --http --why --token-file ;;
    hastur\ deployments) echo --http --trigger --limit --json ;;
    hastur\ deploy) echo --http --only --why --token-file ;;
    hastur\ init-repo) echo --branch --config --http --token-file ;;
    hastur\ hook) echo --http --branch --token-file ;;
    hastur\ rollback) echo --http --token-file --before --no-replay --why ;;
    hastur\ unpin | hastur\ notify-test) echo --http --token-file ;;
    hastur\ notify) echo --http --token-file --why --channel --trigger --for --release ;;
    hastur\ silence | hastur\ unsilence) echo --http --token-file --why ;;
    hastur\ notifications) echo --http --status --trigger --since --before --after --limit --why --token-file --json ;;
    hastur\ incidents) echo --http --trigger --closed --json ;;
    hastur\ tail) echo --http --name --derived --notifications --json --count ;;
    hastur\ host-metrics) echo --to --every ;;
    hastur\ demo) echo --directory --triggers ;;
    hastur\ check) echo --config ;;
    hastur\ replay) echo --trigger --all --from --to --input --accept-loss --into --notify --yes ;;
    hastur\ export) echo --from --to --type --name --output --no-journal --time-max ;;
    hastur\ import) echo --keep-bad ;;
    trigger-test | hastur\ test)
      echo --version --format --filter --jobs --coverage --coverage-min --no-hunt --seed --write-failing --watch \
        --pre-receive --branch --time-max ;;
    *\ backtest) echo --input --time-max --until ;;
    *\ run | *\ trace | *\ diff) echo --input --format ;;
    *\ explain) echo --input --at --key --around --format ;;
    *\ new) echo --like ;;
  esac
  echo --help
}

# What may stand after a flag: words, or FILE or FOLDER. Nothing: anything.
_hastur_values() {
  case "$1 $2" in
    *\ --input | *\ --config | *\ --token-file | *\ --output) echo FILE ;;
    *\ --write-failing | *\ --directory | *\ --triggers) echo FOLDER ;;
    trigger-test\ --format | hastur\ test\ --format) echo text json junit ;;
    *\ --format) echo text json ;;
    *\ --like) echo threshold heartbeat ratio predict correlate digest ;;
    hastur\ export\ --type)
      echo gauge counter mark compound event log error hb_process hb_agent reg_agent reg_process info_process \
        info_agent info_ohai ;;
    *\ replay\ --into) echo scratch live ;;
    *\ replay\ --notify) echo record pending ;;
    *\ notifications\ --status) echo recorded waiting sent pending closed failed ;;
  esac
}

# What a command is about. Nothing: a name that only the supervisor knows.
_hastur_operands() {
  case $1 in
    trigger-test | hastur\ test | *\ run | *\ trace | *\ diff | *\ backtest | *\ explain | *\ new | hastur\ import) echo FILE ;;
    hastur\ send)
      echo gauge counter mark compound event log error hb_process hb_agent reg_agent reg_process info_process \
        info_agent info_ohai ;;
    hastur\ init-repo) echo FOLDER ;;
    hastur\ hook) echo pre-receive post-receive ;;
    hastur\ notify) echo on record off default ;;
    hastur\ notifications) echo list show release close ;;
  esac
}

# Whether a flag stands alone.
_hastur_stands_alone() {
  case $1 in
    --accept-loss | --all | --closed | --coverage | --derived | --help | --json | --keep-bad | --no-hunt | --no-journal | \
      --no-replay | --notifications | --pre-receive | --release | --version | --watch | --yes) return 0 ;;
  esac
  return 1
}

_hastur_complete() {
  local line=${COMP_WORDS[0]##*/} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local commands words i
  commands=$(_hastur_commands "$line")
  for ((i = 1; i < COMP_CWORD; ++i)); do
    if [[ " $commands " == *" ${COMP_WORDS[i]} "* ]]; then
      line+=" ${COMP_WORDS[i]}"
      commands=
      break
    fi
    [[ ${COMP_WORDS[i]} == -* ]] || break
  done
  if [[ $before == --* ]] && ! _hastur_stands_alone "$before"; then
    words=$(_hastur_values "$line" "$before")
  elif [[ $word == -* ]]; then
    words=$(_hastur_flags "$line")
  else
    words="$(_hastur_operands "$line") $commands"
  fi
  COMPREPLY=()
  for i in $words; do
    case $i in
      FILE) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word") ;;
      FOLDER) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$word") ;;
      "$word"*) COMPREPLY+=("$i") ;;
    esac
  done
  # So that bash puts a / after a folder.
  if [[ " $words " == *" FILE "* || " $words " == *" FOLDER "* ]]; then
    compopt -o filenames 2>/dev/null || true
  fi
}

complete -F _hastur_complete hastur trigger-test
