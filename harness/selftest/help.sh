#!/usr/bin/env bash
# What terminals are offered: help with examples within 80 columns, and completion in a real bash.
. "$(dirname "$0")/lib.sh"
cd "$SOURCE"

expect 2 "leave \"run\" out" "$POSTERN" help run --format man
expect 2 "not in" "$POSTERN" help rum
mapfile -t commands < <("$POSTERN" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }')
[ ${#commands[@]} -gt 10 ] || fail "--help lists the commands: ${commands[*]}"
for command in "" "${commands[@]}"; do
  "$POSTERN" $command --help >"$scratch/help"
  "$POSTERN" help $command | cmp -s - "$scratch/help" || fail "postern help $command shows what --help does"
  wide=$(awk 'length > 80' "$scratch/help")
  [ -z "$wide" ] || fail "postern $command --help stays within 80 columns: $wide"
  # The examples are its end: of this command, with options that there are.
  awk '/^Examples?:$/ { on = 1; next } on' "$scratch/help" >"$scratch/examples"
  [ -s "$scratch/examples" ] || fail "postern $command --help ends with examples"
  while read -r line; do
    [[ $line == *"postern ${command:-}"* ]] || fail "an example of $command is about it: $line"
    for option in $(grep -oE -- ' --[a-z-]+' <<<"$line"); do
      [ -z "$command" ] || grep -q -- "  $option\b" "$scratch/help" || grep -q -- ", $option\b" "$scratch/help" ||
        fail "an example of $command has no option that is not there: $option"
    done
  done <"$scratch/examples"
  # The manual has them all: as bold words, with minus signs that can be copied.
  "$POSTERN" help --format man >"$scratch/postern.1"
  grep -oE -- '^  (-h, )?--[a-z-]+' "$scratch/help" | grep -oE -- '--[a-z-]+' | while read -r option; do
    grep -qF -- "\\fB${option//-/\\-}\\fR" "$scratch/postern.1" || echo "$option"
  done >"$scratch/missing"
  [ ! -s "$scratch/missing" ] || fail "the manual has what postern $command --help has: $(tr '\n' ' ' <"$scratch/missing")"
done

# completes WORD… ANSWERS: what bash is answered when the cursor stands behind the last word, given as
# readline cuts a line ("=" is a word of its own). ANSWERS: all that are expected, sorted.
"$POSTERN" help --format bash >"$scratch/completion"
bin=$scratch/bin
mkdir "$bin" "$scratch/folder"
ln -s "$POSTERN" "$bin/postern"
touch "$scratch/folder/with blank.jsonl" "$scratch/folder/\$(touch danger)"
completes() {
  local wanted=${*: -1} got
  got=$(PATH=$bin:$PATH bash --norc -c '
    . "$1"; shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _postern
    printf "%s\n" "${COMPREPLY[@]}"' bash "$scratch/completion" postern "${@:1:$#-1}" 2>&1 | sort | paste -sd ' ')
  [ "$got" = "$wanted" ] || fail "bash completes \"postern ${*:1:$#-1}\" with \"$wanted\", not \"$got\""
}
completes ne "new-story"
completes --scenarios scenarios ne "new-story"
completes run --j "--jitter --jobs --junit --junit-flavour"
completes --ver "--version"
completes run --junit-flavour "" "common strict"
completes run --junit-flavour = st "strict"
completes run --strength = "" "2 3"
completes run --jobs "" ""
completes run --gateway re "reference remote"
completes run --gateway = exim,p "exim,postfix"
completes run --scenarios "$scratch/none" --gateway re ""
completes help --format b "bash"
completes help se "send serve"
completes serve good expired-l ""
completes serve good exp "expired"
completes run stories/starttls-in-small "stories/starttls-in-small-letters"
completes report "$scratch/folder/w" "$scratch/folder/with blank.jsonl"
completes report "$scratch/folder/\$" "$scratch/folder/\$(touch danger)"
completes certs scen "scenarios"
# What stands before the last "=" is not replaced, so it is not answered.
completes run tls-modes/server-level = require/client-certificate = none/client-level = a "attempt"

# The gateway's page is written by hand: it has the options that there are, and no others.
"$GATEWAY" --help | grep -oE -- '^  [-,h]*--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort >"$scratch/options"
sed -n '/^\.SH OPTIONS/,/^\.SH SIGNALS/p' gateway/postern-gateway.8 | grep '^\\fB' | sed 's:\\f[BRI]::g' | tr -d '\\' |
  grep -oE -- '--[a-z-]+' |
  sort >"$scratch/paged"
[ "$(wc -l <"$scratch/options")" -eq 8 ] || fail "postern-gateway --help lists its options: $(cat "$scratch/options")"
cmp -s "$scratch/options" "$scratch/paged" ||
  fail "gateway/postern-gateway.8 has the options of --help: $(diff "$scratch/options" "$scratch/paged")"
"$GATEWAY" --help | tail -n 1 | grep -q '^  postern-gateway --queue' || fail "postern-gateway --help ends with examples"
[ -z "$("$GATEWAY" --help | awk 'length > 80')" ] || fail "postern-gateway --help stays within 80 columns"

# Colour is for terminals, and for those who do not refuse it; a grid is no wider than the terminal.
"$POSTERN" run tls-modes/server-level=none/client-certificate=none/client-level=none --results "$scratch/one.jsonl" >"$scratch/run"
# on_terminal COLUMNS VARIABLE=VALUE: what a terminal of so many columns is shown.
on_terminal() {
  env "$2" script -qec "stty cols $1; '$POSTERN' report '$scratch/one.jsonl'" /dev/null </dev/null | tr -d '\r' >"$scratch/shown"
}
widest() { sed '1d; s/\x1b\[[0-9;]*m//g' "$1" | LC_ALL=C.UTF-8 wc -L; }
on_terminal 80 NO_COLOR=
grep -q $'\x1b\\[' "$scratch/shown" || fail "a terminal is shown colour: $(cat "$scratch/shown")"
[ "$(widest "$scratch/shown")" -le 80 ] || fail "80 columns are enough: $(cat "$scratch/shown")"
on_terminal 130 NO_COLOR=1
! grep -q $'\x1b' "$scratch/shown" || fail "NO_COLOR is obeyed"
[ "$(widest "$scratch/shown")" -gt 80 ] || fail "a wide terminal has clients and servers side by side"
! grep -q $'\x1b' "$scratch/run" || fail "a file is given no colour"

finish
