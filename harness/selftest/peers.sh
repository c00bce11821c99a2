#!/usr/bin/env bash
# The fake peers are honest: programs of others talk to the fake servers that conform, and to each other's,
# without complaint, and find wrong with the others what is wrong with them. Behind the reference gateway
# Postfix's smtp-sink takes what it is given.
. "$(dirname "$0")/lib.sh"
: "${GATEWAY:?}"
cd "$SOURCE" || exit 1
for tool in swaks openssl gnutls-cli; do
  command -v "$tool" >/dev/null || cannot_run "$tool is not installed"
done
perl -MNet::SSLeay -e 1 2>/dev/null || cannot_run "libnet-ssleay-perl is not installed: swaks has no TLS"
(cd "$SOURCE" && scripts/mtas postfix >"$scratch/mtas" 2>&1) || cannot_run "postfix cannot be had: $(tail -n 1 "$scratch/mtas")"
packages=${POSTERN_MTAS:-$SOURCE/build/mtas}/postfix
own=127.82.$(($$ / 250 % 250)).$(($$ % 250 + 1))
processes=()
trap 'kill "${processes[@]}" 2>/dev/null; rm -rf "$scratch"' EXIT

libraries=$packages/usr/lib/postfix:$packages/usr/lib/x86_64-linux-gnu
# source_of ARGUMENT…: Postfix's smtp-source, which needs no configuration.
source_of() { LD_LIBRARY_PATH=$libraries "$packages/usr/sbin/smtp-source" "$@"; }

expect 0 "" "$POSTERN" certs "$scratch/pki"
mkfifo "$scratch/served"
"$POSTERN" serve --scenarios "$SOURCE/scenarios" --address "$own" --certs "$scratch/pki" --quiet >"$scratch/served" 2>&1 &
processes+=($!)
exec 4<"$scratch/served"
while IFS= read -r -t 30 -u 4 line && [ "$line" != "Serving. Ctrl-C ends it." ]; do
  printf '%s\n' "$line" >>"$scratch/where"
done
# at SERVER: where it stands.
at() { awk -v server="$1" '$2 == server { print $1 }' "$scratch/where"; }
# serves PATTERN: the next connection that a server tells of is so.
serves() {
  local line
  IFS= read -r -t 30 -u 4 line || line=nothing
  [[ $line =~ $1 ]] || fail "a fake server says \"$1\": $line"
}

# Servers that conform, each in its way: the whole transaction without a word of complaint.
for server in good good-1.2 requests-cert cert-rsa wildcard; do
  swaks --server "$(at $server)" -tls --tls-verify --tls-ca-path "$scratch/pki/root.ca.pem" --from a@x.test --to b@y.test \
    >"$scratch/out" 2>&1 || { fail "swaks hands its message to $server"; tail -n 5 "$scratch/out"; }
  ! grep -E '^(\*\*\*|<\*\*|<~\*)' "$scratch/out" || fail "swaks complains of $server"
  serves "^$server from .*TLS 1\.[23].*; a message was taken; (closed|reset)"
  openssl s_client -connect "$(at $server)" -starttls smtp -CAfile "$scratch/pki/root.ca.pem" -verify_hostname mx.postern.test \
    -verify_return_error -crlf -quiet >"$scratch/out" 2>&1 <<<QUIT || fail "openssl verifies $server"
  grep -q '^221 ' "$scratch/out" || { fail "openssl: $server says 221 to QUIT"; tail -n 5 "$scratch/out"; }
  serves "^$server from .*; no message;"
  printf 'QUIT\r\n' | gnutls-cli --starttls-proto=smtp --x509cafile "$scratch/pki/root.ca.pem" --verify-hostname=mx.postern.test \
    --port "$(at $server | cut -d: -f2)" "$own" >"$scratch/out" 2>&1 || { fail "gnutls-cli verifies $server"; tail -n 5 "$scratch/out"; }
  serves "^$server from .*; no message;"
done
for server in plain helo-only; do
  swaks --server "$(at $server)" --from a@x.test --to b@y.test >"$scratch/out" 2>&1 || fail "swaks hands its message to $server"
  serves "^$server from .*: clear text; a message was taken; (closed|reset)"
done

# Two hundred messages in twenty sessions: none is lost, none comes twice.
source_of -s 20 -m 200 -f a@x.test -t b@y.test "$(at plain)" >"$scratch/out" 2>&1 &
source=$!
taken=0
while [ "$taken" -lt 200 ] && IFS= read -r -t 30 -u 4 line; do
  [[ $line =~ "a message was taken" ]] && taken=$((taken + 1))
  [[ $line =~ ([0-9]+)" messages were taken" ]] && taken=$((taken + BASH_REMATCH[1]))
done
wait "$source" || { fail "smtp-source is served by plain"; tail -n 5 "$scratch/out"; }
[ "$taken" -eq 200 ] || fail "smtp-source: $taken of 200 messages are taken"

# What is wrong with the others, everybody finds: in the words of OpenSSL's verification.
wrong() {
  openssl s_client -connect "$(at "$1")" -starttls smtp -CAfile "$scratch/pki/root.ca.pem" -verify_hostname mx.postern.test \
    -verify_return_error -purpose sslserver >"$scratch/out" 2>&1 <<<QUIT && fail "openssl takes $1"
  grep -qiE "$2" "$scratch/out" || { fail "openssl finds \"$2\" with $1"; tail -n 5 "$scratch/out"; }
  serves "^$1 from .*: TLS failed"
}
wrong expired 'certificate has expired'
wrong not-yet-valid 'certificate is not yet valid'
wrong wrong-host 'hostname mismatch'
wrong self-signed 'self-signed certificate'
wrong untrusted-ca 'unable to get (local )?issuer certificate|self-signed certificate in certificate chain'
wrong wrong-purpose 'unsuitable certificate purpose'
wrong missing-intermediate 'unable to get local issuer certificate'
wrong cert-tampered 'certificate signature failure'

# The fake clients towards a server that is not ours: the gateway behind which smtp-sink takes everything.
mkdir "$scratch/sink"
cat >"$scratch/gateway.xml" <<XML
<gateway name="gw.test" data="queue">
  <listen address="$own" port="2525"/>
  <tls client-level="attempt" certificate="pki/gateway.pem" key="pki/gateway.key"/>
  <relay network="127.0.0.0/8"/>
  <route domain="*" host="sink.test" address="$own" port="2526"/>
  <retry schedule="100ms"/>
</gateway>
XML
(cd "$scratch/sink" && LD_LIBRARY_PATH=$libraries exec "$packages/usr/sbin/smtp-sink" -u root -d "%M." "$own:2526" 64) \
  >"$scratch/sink.log" 2>&1 &
processes+=($!)
mkfifo "$scratch/journal"
"$GATEWAY" "$scratch/gateway.xml" >"$scratch/journal" 2>&1 &
processes+=($!)
exec 5<"$scratch/journal"
until_journal() {
  local line
  while IFS= read -r -t 30 -u 5 line; do [[ $line =~ $1 ]] && return 0; done
  return 1
}
until_journal '"event":"ready"' || fail "the gateway starts"
expect 0 "outcome: accept tls=yes" "$POSTERN" send --scenarios "$SOURCE/scenarios" "$own:2525" --to one@sink.test --certs "$scratch/pki" --client good-cert --quiet
until_journal '"event":"relayed".*"recipient":"one@sink.test"' || fail "what a fake client hands in reaches smtp-sink"
source_of -s 10 -m 100 -f a@x.test -t many@sink.test "$own:2525" >"$scratch/out" 2>&1 &
source=$!
relayed=0
while [ "$relayed" -lt 100 ] && until_journal '"event":"relayed".*"recipient":"many@sink.test"'; do relayed=$((relayed + 1)); done
wait "$source" || { fail "smtp-source is served"; tail -n 5 "$scratch/out"; }
[ "$relayed" -eq 100 ] || fail "$relayed of 100 messages are relayed"
sunk=$(cat "$scratch"/sink/* | grep -c '^X-Rcpt-Args: <\(many\|one\)@sink.test>')
[ "$sunk" -eq 101 ] || fail "smtp-sink has $sunk of 101 messages"
finish
