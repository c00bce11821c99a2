#!/usr/bin/env bash
# Clients that anybody has send messages through a gateway that was started by hand: swaks, openssl
# s_client as docs/gateway.md shows, gnutls-cli, and Postfix's smtp-source, many at once. They arrive at the
# next hop, and the journal tells of TLS.
. "$(dirname "$0")/lib.sh"
for tool in swaks openssl gnutls-cli; do
  command -v "$tool" >/dev/null || cannot_run "$tool is not installed"
done
(cd "$SOURCE" && scripts/mtas postfix >"$scratch/mtas" 2>&1) || cannot_run "postfix cannot be had: $(tail -n 1 "$scratch/mtas")"
perl -MNet::SSLeay -e 1 2>/dev/null || cannot_run "libnet-ssleay-perl is not installed: swaks has no TLS"

mkfifo "$scratch/ready" "$scratch/journal"
"$GATEWAY" --ready-fd 3 >"$scratch/journal" 2>"$scratch/gateway.err" 3>"$scratch/ready" &
gateway=$!
exec 4<"$scratch/journal"
read -r ready <"$scratch/ready"
address=${ready#*smtp=}
[ -n "$address" ] || fail "the simulator gives its address: $ready"

# until_journal PATTERN: reads the journal up to the first line with it; all lines read are kept in
# $scratch/journal.read. False when the journal ends, or says nothing for half a minute.
until_journal() {
  local line
  while IFS= read -r -t 30 line <&4; do
    printf '%s\n' "$line" >>"$scratch/journal.read"
    grep -qE "$1" <<<"$line" && return 0
  done
  return 1
}

# travels CLIENT FROM TO: the journal says that the message was received over TLS and relayed.
travels() {
  until_journal "\"event\":\"received\".*\"sender\":\"$2\",\"recipient\":\"$3\".*\"tls\":\"TLSv1\.[23]\"" ||
    fail "$1: the journal says that the message was received over TLS"
  until_journal "\"event\":\"relayed\".*\"sender\":\"$2\",\"recipient\":\"$3\".*\"tls\":\"TLSv1\.[23]\"" ||
    fail "$1: the journal says that the message was relayed over TLS"
  grep -rq "body sent by $1" "$folder/delivered" || fail "$1: the message arrived at the next hop"
}

# The journal follows the simulator's instructions, which name its folder.
until_journal '/delivered$' || fail "the simulator says where its messages arrive"
folder=$(sed -n 's#^ *\(/.*\)/delivered$#\1#p' "$scratch/journal.read")

expect 0 "STARTTLS" swaks --server "$address" -tls --from swaks@example.test --to one@example.test \
  --body "body sent by swaks"
travels swaks swaks@example.test one@example.test

# s_client passes on what it is given without waiting for replies; PIPELINING (RFC 2920) is offered,
# and the end of its input comes with the reply to QUIT. -quiet keeps it from reading commands itself.
dialogue() {
  printf '%s\n' "EHLO client.example" "MAIL FROM:<s-client@example.test>" "RCPT TO:<two@example.test>" DATA
  printf '%s\n' "Subject: by hand" "" "body sent by s_client" . QUIT
}
dialogue | timeout 60 openssl s_client -connect "$address" -starttls smtp -crlf -quiet >"$scratch/out" 2>&1
grep -q '^250 2\.0\.0' "$scratch/out" || { fail "s_client: the message is taken"; cat "$scratch/out"; }
grep -q '^221' "$scratch/out" || fail "s_client: QUIT is answered"
travels s_client s-client@example.test two@example.test

# gnutls-cli begins with EHLO and STARTTLS by itself; what follows goes inside TLS.
gnutls_dialogue() {
  printf '%s\r\n' "EHLO client.example" "MAIL FROM:<gnutls@example.test>" "RCPT TO:<three@example.test>" DATA
  printf '%s\r\n' "Subject: by hand" "" "body sent by gnutls-cli" . QUIT
}
gnutls_dialogue | timeout 60 gnutls-cli --starttls-proto=smtp --no-ca-verification \
  --port "${address##*:}" "${address%:*}" >"$scratch/out" 2>&1
grep -q '250 2\.0\.0' "$scratch/out" || { fail "gnutls-cli: the message is taken"; tail "$scratch/out"; }
travels gnutls-cli gnutls@example.test three@example.test

# Twenty sessions at once, two hundred messages: every one of them is taken, and relayed once.
postfix=$SOURCE/build/mtas/postfix
env LD_LIBRARY_PATH="$postfix/usr/lib/postfix:$postfix/usr/lib/x86_64-linux-gnu" "$postfix/usr/sbin/smtp-source" \
  -s 20 -m 200 -f source@example.test -t many@example.test "$address" >"$scratch/out" 2>&1 &
source=$!
relayed=0
while [ "$relayed" -lt 200 ] && until_journal '"event":"relayed".*"sender":"source@example.test"'; do
  relayed=$((relayed + 1))
done
wait "$source" || { fail "smtp-source is served"; tail "$scratch/out"; }
[ "$relayed" -eq 200 ] || fail "smtp-source: $relayed of 200 messages are relayed"

kill "$gateway"
until_journal '"event":"stopped","queued":0' || fail "nothing is left in the queue"
wait "$gateway"
[ $? -eq 0 ] || fail "the simulator ends with 0"
[ ! -e "$folder" ] || fail "the simulator removes its folder"
finish
