#!/usr/bin/env bash
# The man page without a warning of mandoc or groff, and completion in a real zsh.
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
# completes LINE RESULT: the line that zsh has after the tabulator. It is asked for with a key of its own, in a
# terminal that zsh makes itself.
completes() {
  local got
  got=$(LINE=$1 FUNCTIONS=$scratch/functions PATH=$scratch/bin:$PATH TERM=xterm timeout 60 zsh -f -c '
    zmodload zsh/zpty
    zpty -b terminal zsh -f -i
    zpty -w terminal "unsetopt beep; fpath=($FUNCTIONS \$fpath); autoload -Uz compinit; compinit -D -u"
    zpty -w terminal "tell() { print -r -- \"GOT<\$BUFFER>\"; exit }; zle -N tell; bindkey \"^Xt\" tell"
    zpty -w terminal "print READ\$((1 + 1))"
    zpty -r terminal seen "*READ2*"
    zpty -w -n terminal "$LINE"$'"'\\t\\x18t'"'
    zpty -r terminal seen "*GOT<*>*"
    print -r -- "$seen"' 2>&1 | grep -oE 'GOT<.*>' | tail -n 1)
  [ "$got" = "GOT<$2>" ] || fail "zsh completes \"$1\" to \"$2\", not \"$got\""
}
completes "postern new" "postern new-story "
completes "postern list --stren" "postern list --strength="
completes "postern run --junit-flavour st" "postern run --junit-flavour strict "
completes "postern run --gateway refer" "postern run --gateway reference "
completes "postern serve expir" "postern serve expired "
completes "postern help --format b" "postern help --format bash "
completes "postern run stories/starttls-in-small" "postern run stories/starttls-in-small-letters "
completes "postern certs scenar" "postern certs scenarios/"

finish
