#!/usr/bin/env bash
# The man page without a warning of mandoc or groff, completion in a real zsh and a real readline, and no line
# wider than a terminal of 80 columns.
. "$(dirname "$0")/lib.sh"
for tool in mandoc man zsh script; do
  command -v "$tool" >/dev/null || cannot_run "$tool is not installed"
done
cd "$SOURCE"

"$POSTERN" help --format man >"$scratch/postern.1"
for page in "$scratch/postern.1" gateway/postern-gateway.8; do
  expect 0 "" mandoc -T lint "$page"
  [ ! -s "$scratch/out" ] || fail "mandoc has nothing to say about $page: $(cat "$scratch/out")"
  LC_ALL=C.UTF-8 MANWIDTH=80 man -Tutf8 --warnings -l "$page" >"$scratch/shown" 2>"$scratch/warnings" ||
    fail "man shows $page"
  [ ! -s "$scratch/warnings" ] || fail "man warns of nothing in $page: $(cat "$scratch/warnings")"
  sed -i 's/\x1b\[[0-9;]*m//g; s/.\x08//g' "$scratch/shown"
  grep -q -- "--[a-z]*-" "$scratch/shown" || fail "$page shows options with minus signs"
done

mkdir "$scratch/bin" "$scratch/functions"
ln -s "$POSTERN" "$scratch/bin/postern"
"$POSTERN" help --format zsh >"$scratch/functions/_postern"
expect 0 "" zsh -n "$scratch/functions/_postern"
# completes SHELL LINE RESULT: the line that the shell has after the tabulator. It is asked for with a key of its own,
# in a terminal that zsh makes.
"$POSTERN" help --format bash >"$scratch/completion"
cat >"$scratch/zsh" <<SH
unsetopt beep; fpath=($scratch/functions \$fpath); autoload -Uz compinit; compinit -D -u
tell() { print -r -- "GOT<\$BUFFER>"; exit }; zle -N tell; bindkey "^Xt" tell
SH
cat >"$scratch/bash" <<SH
bind "set bell-style none"; . $scratch/completion
tell() { echo "GOT<\$READLINE_LINE>"; exit; }; bind -x '"\C-xt": tell'
SH
completes() {
  local got start="zsh -f -i"
  [ "$1" != bash ] || start="bash --norc -i"
  got=$(START=$start SETUP=$scratch/$1 LINE=$2 PATH=$scratch/bin:$PATH TERM=xterm timeout 60 zsh -f -c '
    zmodload zsh/zpty
    zpty -b terminal ${=START}
    zpty -w terminal ". $SETUP; echo READ\$((1 + 1))"
    zpty -r terminal seen "*READ2*"
    zpty -w -n terminal "$LINE"$'"'\\t\\x18t'"'
    zpty -r terminal seen "*GOT<*>*"
    print -r -- "$seen"' 2>&1 | grep -aoE 'GOT<.*>' | tail -n 1)
  [ "$got" = "GOT<$3>" ] || fail "$1 completes \"$2\" to \"$3\", not \"$got\""
}
completes zsh "postern new" "postern new-story "
completes zsh "postern list --stren" "postern list --strength="
completes zsh "postern run --junit-flavour st" "postern run --junit-flavour strict "
completes zsh "postern run --gateway refer" "postern run --gateway reference "
completes zsh "postern serve expir" "postern serve expired "
completes zsh "postern help --format b" "postern help --format bash "
completes zsh "postern run stories/starttls-in-small" "postern run stories/starttls-in-small-letters "
completes zsh "postern certs scenar" "postern certs scenarios/"
completes bash "postern run --gateway=refer" "postern run --gateway=reference "
mode=tls-modes/server-level=none/client-certificate=none/client-level=att
completes bash "postern run $mode" "postern run ${mode}empt "
completes bash "postern run --gateway exim,post" "postern run --gateway exim,postfix "
completes bash "postern certs scenar" "postern certs scenarios/"

# fits CODE WORDS: nothing but an id or a command to copy is wider than 80 columns, and the exit code is as ever.
fits() {
  local code=0 line
  script -qec "stty cols 80 rows 40; '$POSTERN' $2" /dev/null </dev/null >"$scratch/typed" 2>&1 || code=$?
  [ "$code" -eq "$1" ] || fail "postern $2 ends with $1, not $code"
  sed 's/\x1b\[[0-9;]*[A-Za-z]//g; s/\r$//; s/.*\r//' "$scratch/typed" >"$scratch/seen"
  [ -s "$scratch/seen" ] || fail "postern $2 says something"
  while IFS= read -r line; do
    [[ ${#line} -le 80 || $line == *"$POSTERN "* || $line =~ ^\ *[^\ ]*$ ]] || fail "postern $2 keeps to 80 columns: $line"
  done <"$scratch/seen"
}
export LC_ALL=C.UTF-8
one=tls-modes/server-level=require/client-certificate=none/client-level=none/client=plain/server=good
own_scenarios
sed -e 's/name="reference"/name="lax"/' -e 's/server-level="${value}"/server-level="attempt"/' \
  scenarios/gateways/reference.xml >"$scenarios/gateways/lax.xml"
fits 0 "run $one"
fits 1 "run --scenarios $scenarios --gateway lax $one"
fits 2 "run nonsense"
fits 2 "run --gateway nonsense $one"
fits 3 "send --to a@example.org 127.0.0.1:1"
fits 0 "serve --list"
fits 0 coverage
fits 0 "coverage IN-8"
fits 2 "coverage IN-99"
fits 1 gaps
fits 0 gateways
fits 0 "list --suites"
fits 0 check
fits 0 "explain server-level=require client-certificate=require client-level=verify client=plain server=good"
fits 0 --help

finish
