#!/usr/bin/env bash
# The fake peers by hand, at each other: what postern send says, and that neither waits for the other where
# both have said their last word.
. "$(dirname "$0")/lib.sh"
own=127.83.$(($$ / 250 % 250)).$(($$ % 250 + 1))
processes=()
trap 'kill "${processes[@]}" 2>/dev/null; rm -rf "$scratch"' EXIT
cd "$SOURCE" || exit 1

# They stand at ports of their own.
expect 0 "" "$POSTERN" certs "$scratch/pki"
mkfifo "$scratch/served"
"$POSTERN" serve good good-1.2 demands-cert old-tls breaks-handshake starttls-454 --address "$own" --certs "$scratch/pki" \
  --quiet >"$scratch/served" 2>&1 &
processes+=($!)
exec 4<"$scratch/served"
while IFS= read -r -t 30 -u 4 line && [ "$line" != "Serving. Ctrl-C ends it." ]; do
  printf '%s\n' "$line" >>"$scratch/where"
done
# sends CODE TEXT SERVER OPTION…: in less time than the limit of a reply.
sends() {
  local code=$1 text=$2 server=$3
  shift 3
  expect "$code" "$text" timeout 30 "$POSTERN" send "$(awk -v server="$server" '$2 == server { print $1 }' "$scratch/where")" \
    --to you@example.test --certs "$scratch/pki" "$@"
}

sends 0 "accepted over TLS 1.3" good --client good-cert
# TLS that fails with an alert is ended by both, at once.
sends 1 "outcome: broken" good-1.2 --client starttls
sends 0 "accepted over TLS 1.2" good-1.2 --client starttls-1.2
sends 1 "outcome: broken" demands-cert --client starttls
sends 1 "outcome: broken" old-tls --client starttls
sends 1 "TLS failed (wrong version number); the connection was ended: closed" breaks-handshake --client starttls
sends 1 "outcome: broken" good --client rejects
sends 1 "outcome: broken" good --client breaks-handshake
sends 0 "accepted in clear text" good --client comes-back-in-clear

# What was refused, and by whom.
sends 1 "starttls: TLS was refused: 454 4.7.0 to STARTTLS" starttls-454
expect 3 "no connection was made: it was refused" "$POSTERN" send "$own:2525" --to you@example.test
grep -qF "refuses the connection" "$scratch/out" || fail "the ladder does not say that it was refused"
# An address is one line, whatever follows it.
expect 2 "the end of a line" "$POSTERN" send "$own:2525" --to $'you@example.test>\r\nDATA'
expect 2 "the end of a line" "$POSTERN" send "$own:2525" --to you@example.test --from $'me@example.test\n'
finish
