#!/usr/bin/env bash
# A gateway that is there already, seen from outside: the reference gateway, started here by hand, is
# tested as an appliance would be. That it keeps a journal the harness does not know.
. "$(dirname "$0")/lib.sh"
: "${GATEWAY:?}"
cd "$SOURCE" || exit 1
# Addresses of this test's own, so that fixed ports are free.
at=127.78.$(($$ / 250 % 250)).$(($$ % 250 + 1))
hop=127.79.$(($$ / 250 % 250)).$(($$ % 250 + 1)):2525
gateway=
trap '[ -z "$gateway" ] || kill "$gateway" 2>/dev/null; rm -rf "$scratch"' EXIT
expect 0 "are in" "$POSTERN" certs "$scratch/pki"

# serve SERVER-LEVEL CLIENT-CERTIFICATE CLIENT-LEVEL: the appliance, set so.
serve() {
  stop
  rm -rf "$scratch/queue"
  cat >"$scratch/appliance.xml" <<XML
<gateway name="appliance.test" data="queue">
  <listen address="$at" port="2525"/>
  <tls server-level="$1" client-certificate="$2" client-level="$3" clear-fallback-delay="0"
       certificate="pki/gateway.pem" key="pki/gateway.key" client-ca="pki/root.ca.pem" next-hop-ca="pki/root.ca.pem"/>
  <relay domain="lab.test"/>
  <route domain="*" host="mx.postern.test" address="${hop%:*}" port="${hop#*:}"/>
  <retry schedule="1h"/>
</gateway>
XML
  mkfifo "$scratch/ready"
  "$GATEWAY" --ready-fd 3 "$scratch/appliance.xml" 3>"$scratch/ready" >"$scratch/journal" 2>&1 &
  gateway=$!
  read -r _ <"$scratch/ready"
  rm "$scratch/ready"
}

stop() {
  [ -z "$gateway" ] || { kill "$gateway"; wait "$gateway"; }
  gateway=
}

# The gateway's file: what an administrator writes of an appliance, here with a budget and a short rest.
own_scenarios
declare_remote() {
  cat >"$scenarios/gateways/appliance.xml" <<XML
<gateway name="appliance" about="the appliance of this test">
  <remote at="$at:2525" next-hop="$hop" domain="lab.test" settings="\${env.SETTINGS}" pause="0" settles="300ms" budget="$1"/>
</gateway>
XML
}
declare_remote 0
run() { "$POSTERN" run --scenarios "$scenarios" --gateway appliance --certs "$scratch/pki" "$@"; }

# What it does it is found to do: refusals, holds and deliveries, each closed by a later message.
serve require require verify
export SETTINGS="server-level=require client-certificate=require client-level=verify"
expect 0 "appliance: 42 cases and at most 42 connections to $at:2525, 0ms before each case; no budget" \
  run tls-modes --results "$scratch/told.jsonl" \
  --filter 'server-level=require client-certificate=require client-level=verify client=plain|starttls|good-cert|expired|rejects|helo-only|good-cert-1.2 server=plain|good|expired|wrong-host|starttls-454|breaks-handshake'
grep -qF "42 pass" "$scratch/out" || { fail "not all 42 cases pass"; tail -n 30 "$scratch/out"; }
grep '"observed":"hold"' "$scratch/told.jsonl" | grep -qv '"canary"' && fail "a hold without a canary"
grep '^{"type":"case"' "$scratch/told.jsonl" | grep '"observed":"drop"' | grep -qv '"canary"' && fail "a drop without a canary"
run tls-modes --filter 'server-level=require client-certificate=require client=plain server=plain' --results "$scratch/other.jsonl" --quiet >/dev/null
grep -qF "not asked of this gateway: it is declared to be set client-level=verify" "$scratch/other.jsonl" || fail "cases under other settings are not left out"

# What it does not do is found, too: it is declared to verify, and takes anybody.
serve attempt none attempt
export SETTINGS="server-level=attempt client-level=verify"
expect 1 "leak: the message was seen clear-unavailable" run tls-modes --filter 'server-level=attempt client-certificate=none client-level=verify client=plain server=plain|good'

# A story with a server of its own, and a refusal.
export SETTINGS="server-level=attempt client-level=attempt"
expect 0 "2 cases: 2 pass" run stories/a-259-to-mail-counts-as-a-yes stories/a-599-to-mail-counts-as-a-no

# A budget is kept. What was found is not asked again.
declare_remote 6
few='server-level=attempt client-certificate=none client-level=attempt client=plain server=plain|good|good-1.2|expired|wrong-host|self-signed|wildcard|starttls-454'
expect 3 "the budget of 6 connections is used up" run tls-modes --filter "$few" --results "$scratch/first.jsonl"
played=$(grep -c '"verdict":"pass"' "$scratch/first.jsonl")
[ "$played" -eq 5 ] || fail "5 cases fit in the budget, not $played"
declare_remote 0
expect 0 "0 not passed" run tls-modes --filter "$few" --resume "$scratch/first.jsonl" --results "$scratch/second.jsonl"
left=$(($(grep -c '^{"type":"case"' "$scratch/second.jsonl") - 5))
grep -qF "appliance: $left case" "$scratch/out" || { fail "not just the $left cases that were left are played"; head -n 3 "$scratch/out"; }
stop

# One that closes itself is left alone, and nothing is concluded.
expect 3 "blocked: $at:2525 closed itself to 3 cases in a row (no connection to it was made)" run tls-modes --filter "$few" --results "$scratch/blocked.jsonl"
! grep -q '"verdict":"fail"' "$scratch/blocked.jsonl" || fail "a blocked case is judged"

unset SETTINGS
expect 3 "SETTINGS is not set in the environment" run tls-modes --filter "$few"
SETTINGS="server-level=yes" expect 3 'found the value "yes"' run tls-modes --filter "$few"
rm "$scratch/pki/client-good.key"
SETTINGS="server-level=attempt" expect 2 "client-good.key: No such file" run tls-modes --filter "$few"
finish
