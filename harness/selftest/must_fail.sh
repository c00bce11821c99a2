#!/usr/bin/env bash
# The harness turns red when it must: a relay that is right but for one fault is run with each of its
# faults (faulty_gateway/fault.hpp), and exit code, verdicts, reasons, time and processes are held to
# what that fault deserves. Names of faults as arguments: only these.
# In memory, since each run syncs its results: the time that it takes is to be its own.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
: "${FAULTY_GATEWAY:?}"
export FAULTY_GATEWAY FAULT FAULT_MARK=must-fail-mark-$$
outer=${POSTERN_TIME_SCALE:-1}
wanted=" $* "
own_scenarios
cp "$SOURCE"/harness/selftest/gateways/*.xml "$scenarios/gateways/"
tried=0

# cases NAME: which cases a fault is played with; the controls of negatives come along.
cases() {
  local clear='client-certificate=none client=plain kind=matrix'
  case $1 in
    sent) echo "$clear server-level=none client-level=attempt server=good" ;;
    two) echo "$clear server-level=none client-level=attempt server=good|plain" ;;
    held) echo "$clear server-level=none client-level=require server=plain" ;;
    unverified) echo "$clear server-level=none client-level=verify server=expired" ;;
    bounced) echo "$clear server-level=none client-level=none server=requires-tls" ;;
    dropped) echo "$clear server-level=require client-level=none server=good" ;;
    all) echo "$clear server-level!=attempt server=good|plain|expired|starttls-454|breaks-handshake|requires-tls" ;;
  esac
}

# verdicts: each case of the last run with its verdict, reason and details, one a line.
verdicts() { sed -n '/^{"type":"case"/s/,"settings":.*//p' "$scratch/results"; }

# play FAULT CASES: one run; its exit code in $got, its seconds in $took, its cases in $scratch/results.
play() {
  local began=$EPOCHREALTIME
  FAULT=$1
  POSTERN_TIME_SCALE=$(awk "BEGIN { print $outer * ${scale:-1} }") timeout 120 "$POSTERN" --scenarios "$scenarios" \
    run --quiet --gateway faulty --results "$scratch/results" --filter "$(cases "$2")" >"$scratch/out" 2>&1
  got=$?
  took=$(awk "BEGIN { print $EPOCHREALTIME - $began }")
}
is_prompt() { [ "$(awk "BEGIN { print $took < $outer * 12 + $pace }")" -eq 1 ]; }

# must FAULT CASES EXIT [PEERS VERDICT WORDS]…: runs the cases against the relay with that fault. The
# case of these peers (a server, or client/server) has that verdict, and the words stand in its reason
# or details.
must() {
  local fault=$1 which=$2 code=$3
  shift 3
  [ "$wanted" = "  " ] || [[ $wanted == *" $fault "* ]] || return 0
  tried=$((tried + 1))
  play "$fault" "$which"
  # A machine that stood still is no finding: what is slow is slow twice.
  is_prompt || play "$fault" "$which"
  is_prompt || fail "$fault: it took $took s"
  [ "$got" -eq "$code" ] || { fail "$fault: exit $got instead of $code"; tail -n 3 "$scratch/out"; }
  while [ $# -gt 0 ]; do
    judged "$fault" "$1" "$2" "$3"
    shift 3
  done
  ! pgrep -f -- "$FAULT_MARK" >/dev/null || fail "$fault: a process is left"
}

# judged FAULT PEERS VERDICT WORDS: holds the results to it. "some" are peers too.
judged() {
  local client=plain server=${2#*/} lines
  if [ "$2" = some ]; then
    [ "$(verdicts | grep -F "\"verdict\":\"$3\"" | grep -cF -- "$4")" -gt 0 ] || fail "$1: no case is \"$3\": $4"
    return
  fi
  [[ $2 != */* ]] || client=${2%/*}
  lines=$(verdicts | grep -F "/client=$client/server=$server\"")
  [ -n "$lines" ] || fail "$1: no case of $2"
  ! grep -vF "\"verdict\":\"$3\"" <<<"$lines" >"$scratch/other" ||
    { fail "$1: $2 is not \"$3\""; cat "$scratch/other"; }
  [ -z "$4" ] || ! grep -vF -- "$4" <<<"$lines" >"$scratch/other" ||
    { fail "$1: $2 lacks the words: $4"; cat "$scratch/other"; }
}

# How fast this machine is now: what everything takes without a fault.
play none all
pace=$took

# Without a fault everything passes.
must none all 0 good pass "" plain pass "" expired pass "" starttls-454 pass "" breaks-handshake pass "" requires-tls pass ""

# The process. What waits for a time limit runs with less of it.
scale=0.15
must never-ready two 3 good error "faulty gave no ready sign within" plain error "and was killed"
must hangs-in-session sent 1 good fail "inbound: expected accept tls=no, got hang tls=no reply=250"
must hangs-at-stop two 1 good fail "after it did not stop within" plain fail "after it did not stop within"
scale=1
must exits-before-ready two 3 good error "faulty exited 7 before it was ready" plain error "this gateway ends before it is ready"
must exits-after-ready two 1 good fail "the gateway ended with this case in hand: exited 7" plain fail "exited 7"
must closes-its-port sent 1 good fail "inbound: expected accept tls=no, got unreachable"
must crashes-on-third-connection all 1 some fail "the gateway ended with this case in hand: killed by signal 6 (ABRT)"
must crashes-at-stop two 1 good fail "the gateway did not end in order when it was stopped: killed by signal 6 (ABRT)" plain fail "signal 6"
must exits-with-3-at-stop two 1 good fail "the gateway did not end in order when it was stopped: exited 3"

# Towards the client.
must answers-garbage sent 1 good fail "a line that is no reply"
must answers-without-end sent 1 good fail "more than 256 lines"
must is-busy sent 3 good error "the gateway refused for now (4yz)"
must is-busy-at-greeting dropped 3 good error "the gateway refused for now (4yz)"
must accepts-what-it-must-drop dropped 1 good fail "inbound: expected drop, got accept tls=no" good-cert/good pass ""
must hangs-up-after-data sent 1 good fail "inbound: expected accept tls=no, got lost tls=no after=DATA"

# What becomes of messages.
scale=0.15
must loses-messages sent 1 good fail "the message was taken, and nothing became of it on record"
scale=1
must changes-body sent 1 good fail "the message came changed"
must ends-commands-with-lf sent 1 good fail "a line that does not end with CRLF: NOOP"
must changes-envelope sent 1 good fail "the envelope came changed"
must delivers-twice sent 1 good fail "the message was delivered 2 times"
must delivers-again-at-stop sent 1 good fail "the message was delivered 2 times"
must delivers-to-another two 1 good fail "of another case" plain fail "of another case"
must delivers-held-at-once held 1 plain fail "outbound: expected hold | bounce, got redirect tls=no" good pass ""
must delivers-held-at-stop held 1 plain fail "outbound: expected hold | bounce, got redirect tls=no" good pass ""
must delivers-refused-at-stop dropped 1 good fail "outbound: expected nothing, got redirect tls=no" good-cert/good pass ""

# Its record and its queue.
scale=0.15
must keeps-no-record sent 1 good fail "the next hop took the message, and the gateway's record says nothing of it"
must hides-refusals dropped 3 good inconclusive "evidence is missing: inbound record outbound record" good-cert/good pass ""
scale=1
must delivers-and-says-held sent 1 good fail "the next hop took the message, and the gateway's record says nothing of it"
must says-delivered sent 1 good fail "the gateway's record says delivered, and the next hop took no message"
must says-held-and-forgets held 1 plain fail "held on record, and not in the gateway's queue: lost" good pass ""
must says-accepted-without-250 sent 1 good fail "the gateway's record says it took the message, and no 250 was given for it"
must records-foreign-mail two 1 good fail "the record tells of mail that belongs to no case" plain fail "nobody@elsewhere.test"
must queues-foreign-mail two 1 good fail "the queue holds what is no case's message, for nobody@elsewhere.test"
must queues-twice held 1 plain fail "the gateway's queue holds the message 2 times" good pass ""
must keeps-delivered-in-queue sent 1 good fail "the message is still in the gateway's queue"

# Leaks before it gives up, in clear text.
must leaks-in-ehlo held 1 good fail "leak: the message was seen clear-untried (plain) on connection 1"
for fault in leaks-in-mail leaks-in-rcpt leaks-in-header leaks-at-body-start leaks-in-body-middle leaks-at-body-end leaks-across-chunks leaks-in-quoted-printable; do
  must "$fault" held 1 plain fail "leak: the message was seen clear-unavailable (plain) on connection 1 to the next hop" good pass ""
done
must leaks-in-base64 held 1 plain fail "leak: the message was seen clear-unavailable (base64) on connection 1" good pass ""
must says-null-mail held 1 plain fail "MAIL was disclosed on connection 1" good pass ""
must leaks-in-clear-bounce held 1 plain fail "leak: the message was seen clear-untried (plain) on connection 1 to the sender's mailbox" good pass ""
must leaks-in-bounce-to-another held 1 plain fail "on connection 1 to the sender's mailbox of another case"
# And where TLS was begun.
must leaks-instead-of-hello unverified 1 expired fail "leak: the message was seen clear-after-ready"
must leaks-in-sni unverified 1 expired fail "leak: the message was seen clear-after-ready (ciphertext)"
must leaks-inside-unverified-tls unverified 1 expired fail "leak: the message was seen inside TLS (plain)" good pass ""
must leaks-behind-close-notify unverified 1 expired fail "bytes came behind the close_notify" good pass ""

[ "$tried" -gt 0 ] || fail "no such fault: $*"
finish
