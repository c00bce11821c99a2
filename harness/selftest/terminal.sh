#!/usr/bin/env bash
# The man page without a warning of mandoc or groff, and completion in a real zsh and a real readline.
. "$(dirname "$0")/lib.sh"
for tool in mandoc man zsh; do
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

finish
