#!/usr/bin/env bash
# What becomes of gateways: crashes are named and survived, Ctrl-C stops everything in order, and
# nothing outlives a killed harness.
. "$(dirname "$0")/lib.sh"
cd "$SOURCE"
mode=tls-modes/server-level=attempt/client-certificate=none/client-level=attempt

# gateways: how many gateways run in this test's scratch folder.
gateways() { pgrep -f "postern-gatewa[y].*$TMPDIR" | wc -l; }

# A gateway that dies in mid-run: the cases in hand fail and say how it died, the rest is played
# against a new one. A wrapper kills the first one with SIGSEGV at
# its 10th session.
own_scenarios
cat >"$scratch/dying" <<EOF
#!/usr/bin/env bash
died=$scratch/died
EOF
cat >>"$scratch/dying" <<'EOF'
gateway=$1
shift
[ ! -e "$died" ] || exec "$gateway" --die-with-parent --ready-fd 3 "$1"
touch "$died"
{ "$gateway" --ready-fd 3 "$1" & echo $! >"$1.pid"; wait $!; } | {
  n=0
  while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in *'"event":"session-start"'*) n=$((n + 1)) ;; esac
    [ "$n" -ne 10 ] || kill -SEGV "$(cat "$1.pid")"
  done
}
kill -SEGV $$
EOF
chmod +x "$scratch/dying"
gateway=$scenarios/gateways/reference.xml
edit "$gateway" "s#<start>#<start><arg>$scratch/dying</arg>#"
edit "$gateway" 's#<arg>--die-with-parent</arg>##'
edit "$gateway" 's#<arg>--ready-fd</arg><arg>3</arg>##'
expect 1 "killed by signal 11" "$POSTERN" --scenarios "$scenarios" run "$mode" \
  --filter 'client=plain|good-cert|starttls|expired' \
  --results "$scratch/crash.jsonl"
grep -q '"verdict":"pass"' "$scratch/crash.jsonl" || fail "cases not in hand are played against a new gateway"

# A gateway that cannot start is an error, not a failure of a case.
own_scenarios
edit "$scenarios/gateways/reference.xml" 's#<start>#<start><arg>/bin/false</arg>#'
expect 3 "exited 1" "$POSTERN" --scenarios "$scenarios" run "$mode/client=plain/server=good"

# A gateway whose settings are not what it was told turns the matrix red.
own_scenarios
edit "$scenarios/gateways/reference.xml" 's#(configured=yes">)server-level="[^"]*"#\1server-level="attempt"#'
expect 1 "expected drop reply=530" "$POSTERN" --scenarios "$scenarios" run \
  --filter 'server-level=require client-certificate=none client-level=attempt client=plain|good-cert server=good'
own_scenarios
edit "$scenarios/gateways/reference.xml" 's#(configured=yes">)client-level="[^"]*"#\1client-level="attempt"#'
expect 1 "leak" "$POSTERN" --scenarios "$scenarios" run \
  --filter 'server-level=attempt client-certificate=none client-level=verify client=plain server=good|expired'

# A negative whose control fails proves nothing: it is invalid.
own_scenarios
edit "$scenarios/gateways/reference.xml" 's#next-hop-ca="\$\{trust.root\}"#next-hop-ca="${trust.unrelated}"#'
expect 1 "its outbound control did not pass" "$POSTERN" --scenarios "$scenarios" run \
  --filter 'server-level=none client-level=verify client=plain server=expired|good'

# A negative without a record of the session is not believed.
own_scenarios
edit "$scenarios/gateways/reference.xml" '/<event kind="session-end">/d'
expect 3 "evidence is missing: inbound record" "$POSTERN" --scenarios "$scenarios" run \
  --filter 'server-level=require client-certificate=none client-level=none client=plain server=good'

# interrupted SIGNAL: starts a run, waits for its first gateway, sends the signal.
interrupted() {
  : >"$scratch/err"
  "$POSTERN" run --jobs 1 --repeat 1000 --junit "$scratch/interrupted.xml" "$mode" >"$scratch/out" 2>"$scratch/err" &
  local run=$!
  # The first line of progress says that a configuration was closed: gateways run now.
  tail -f --pid="$run" "$scratch/err" | grep -q "cases"
  kill -"$1" "$run"
  wait "$run"
}
interrupted INT
[ $? -eq 130 ] || fail "Ctrl-C ends with 130"
grep -q "the run was interrupted" "$scratch/interrupted.xml" || fail "a run that was interrupted is not green"
[ "$(gateways)" -eq 0 ] || fail "Ctrl-C leaves no gateway"
[ -z "$(find "$TMPDIR" -maxdepth 1 -name 'postern-*' -type d)" ] || fail "Ctrl-C leaves no folder"

# Ctrl-C while bundles are packed, or about to be, leaves neither them nor half of them. A file that takes
# a minute to pack holds the packing up; a report that nobody reads what comes before it.
packing() {
  : >"$scratch/err"
  "$POSTERN" run --jobs 1 --repeat 10000 --bundle "$scratch/bundle.zip" --bundle-of all "$@" "$mode/client=plain/server=good" >"$scratch/out" 2>"$scratch/err" &
  run=$!
  tail -f --pid="$run" "$scratch/err" | grep -q ": 1 case"
  truncate -s 20G "$scratch/bundle.zip.$run/long" || fail "no bundles are written while the run goes on"
  kill -INT "$run"
}
given_up() {
  kill -INT "$run"
  wait "$run"
  [ $? -eq 130 ] || fail "Ctrl-C ends with 130 $1"
  ! compgen -G "$scratch/bundle.zip*" || fail "Ctrl-C leaves bundles $1"
  grep -q "there are no bundles" "$scratch/err" || fail "nobody is told that there are no bundles $1"
}
packing
# The archive has another name until it is whole.
timeout 60 bash -c "until compgen -G '$scratch/bundle.zip.??????' | grep -v 'zip.$run\$' >/dev/null; do :; done" || fail "nothing is packed"
given_up "while they are packed"
mkfifo "$scratch/unread"
packing --html "$scratch/unread"
exec 7<"$scratch/unread" # Which waits for whoever writes.
given_up "before they are packed"
exec 7<&-

interrupted KILL
# Neither it nor what it was about to start.
timeout 1 bash -c "while pgrep -f 'postern-gatewa[y].*$TMPDIR|repeat 100[0] --junit $scratch' >/dev/null; do :; done" ||
  fail "a gateway outlives a killed harness by a second"
"$POSTERN" run "$mode/client=plain/server=good" >/dev/null 2>&1
[ -z "$(find "$TMPDIR" -maxdepth 1 -name 'postern-??????' -type d)" ] || fail "the next run removes what a killed one left"
finish
