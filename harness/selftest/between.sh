#!/usr/bin/env bash
# The reference gateway between two Postfixes, in every mode combination. What becomes of a message is the
# same as with the fake peers: so the gateway serves real MTAs as it serves these, and the fake clients and
# servers of the matrix stand for real ones.
. "$(dirname "$0")/lib.sh"
: "${GATEWAY:?}"
cd "$SOURCE" || exit 1
[ "$(id -u)" -eq 0 ] || cannot_run "Postfix's master can be started by root only"
POSTERN=$POSTERN scripts/mtas postfix >"$scratch/mtas" 2>&1 || cannot_run "postfix cannot be had: $(tail -n 1 "$scratch/mtas")"
packages=$(readlink -f "${POSTERN_MTAS:-build/mtas}")/postfix
chmod 0711 "$scratch" "$TMPDIR"
own=$(($$ / 250 % 250)).$(($$ % 250 + 1))
first=127.80.$own gw=127.81.$own last=127.82.$own
processes=()
# shellcheck disable=SC2317
end() {
  # unshare passes no signal on. Its child is the first of a PID namespace, which ends with it.
  for process in "${processes[@]}"; do pkill -KILL -P "$process" || kill "$process"; done 2>/dev/null
  wait 2>/dev/null
  rm -rf "$scratch"
}
trap end EXIT
expect 0 "" "$POSTERN" certs "$scratch/pki"
chmod 0755 "$scratch/pki"

# What the peers of the matrix stand for: three ways to send to the gateway, three ways to be sent to.
clients=(plain starttls good-cert)
servers=(plain good untrusted-ca)

# --- what becomes of a message with the fake peers ---
expect 0 "252 pass" "$POSTERN" run tls-modes --results "$scratch/fake.jsonl" --filter \
  'client=plain|starttls|good-cert server=plain|good|untrusted-ca kind=matrix clear-fallback-delay=0' --quiet
# fate MODE CLIENT SERVER: how the message comes in and goes out, and whether over TLS.
fate() {
  grep -F "\"id\":\"tls-modes/$1/client=$2/server=$3\"" "$scratch/fake.jsonl" | grep -v '"control":true' | awk '
    # of LEG: the outcome of a leg, as "accept tls=yes".
    function of(leg, text, word, tls) {
      text = substr($0, index($0, "\"" leg "\":{"))
      match(text, /"observed":"[^"]*"/); word = substr(text, RSTART + 12, RLENGTH - 13)
      if (word != "accept" && word != "redirect") return word == "hold" || word == "nothing" ? word : "refuse"
      match(text, /"tls":"[^"]*"/); tls = substr(text, RSTART + 7, RLENGTH - 8)
      return word " tls=" tls
    }
    { print of("inbound") ", " of("outbound") }'
}

# --- the two Postfixes ---
# postfix NAME: writes the folder of one, from what its gateway file makes.
postfix() {
  local kept
  expect 0 "Kept:" "$POSTERN" run --gateway postfix --keep \
    tls-modes/server-level=attempt/client-certificate=none/client-level=none/client=plain/server=plain
  kept=$(sed -n 's/^Kept: //p' "$scratch/out")
  mv "$kept" "$scratch/$1"
  chmod 0711 "$scratch/$1"
  sed -i "s#$kept#$scratch/$1#g" "$scratch/$1"/etc/*
  sed -i -e '/^smtp_tls_policy_maps/d' -e "s/^myhostname.*/myhostname = $1.test/" "$scratch/$1/etc/main.cf"
  sed -i '/ inet n - n - - smtpd$/d' "$scratch/$1/etc/master.cf"
  : >"$scratch/$1/etc/transport"
}

# serve NAME: starts it; its log comes on the descriptor.
serve() {
  mkfifo "$scratch/$1.log"
  unshare --mount --pid --fork --kill-child --propagation private bash -c '
    mount -t overlay none -o lowerdir="$1/usr:/usr" /usr && mount -t overlay none -o lowerdir="$2/machine/etc:/etc" /etc &&
      exec /usr/lib/postfix/sbin/master -s -c "$2/etc"' - "$packages" "$scratch/$1" >"$scratch/$1.log" 2>&1 &
  processes+=($!)
}

postfix first
postfix last
# The first: nothing it cannot hand on at once stays. Its transports are the clients.
{
  echo "maximal_queue_lifetime = 0"
  echo "bounce_queue_lifetime = 0"
  echo "smtp_tls_loglevel = 1"
} >>"$scratch/first/etc/main.cf"
cat >>"$scratch/first/etc/master.cf" <<CF
$first:2525 inet n - n - - smtpd
plain unix - - n - - smtp -o smtp_tls_security_level=none
starttls unix - - n - - smtp -o smtp_tls_security_level=may
good-cert unix - - n - - smtp -o smtp_tls_security_level=may -o smtp_tls_chain_files=$scratch/pki/client-good.key,$scratch/pki/client-good.pem
CF
# The last: one port for each of the servers, and whatever comes is thrown away behind its line in the log.
echo "default_transport = discard:taken" >>"$scratch/last/etc/main.cf"
cat >>"$scratch/last/etc/master.cf" <<CF
$last:2531 inet n - n - - smtpd -o smtpd_tls_security_level=none
$last:2532 inet n - n - - smtpd -o smtpd_tls_security_level=may -o smtpd_tls_chain_files=$scratch/pki/server-good.key,$scratch/pki/server-good.pem
$last:2533 inet n - n - - smtpd -o smtpd_tls_security_level=may -o smtpd_tls_chain_files=$scratch/pki/server-untrusted.key,$scratch/pki/server-untrusted.pem
CF
routes=
for client in "${clients[@]}"; do
  port=2531
  for server in "${servers[@]}"; do
    domain=$client.$server.test
    echo "$domain $client:[$gw]:2525" >>"$scratch/first/etc/transport"
    routes+="<route domain=\"$domain\" host=\"mx.postern.test\" address=\"$last\" port=\"$port\"/>"
    port=$((port + 1))
  done
done
serve first
serve last

# --- the gateway between them ---
configure() {
  cat >"$scratch/gateway.xml" <<XML
<gateway name="gw.test" data="queue">
  <listen address="$gw" port="2525"/>
  <tls $1 clear-fallback-delay="0" certificate="pki/gateway.pem" key="pki/gateway.key"
       client-ca="pki/root.ca.pem" next-hop-ca="pki/root.ca.pem"/>
  <relay network="127.0.0.0/8"/>$routes
  <retry schedule="1h"/>
</gateway>
XML
}
configure ""
mkfifo "$scratch/journal"
"$GATEWAY" "$scratch/gateway.xml" >"$scratch/journal" 2>&1 &
gateway=$!
processes+=("$gateway")
exec 4<"$scratch/journal" 5<"$scratch/first.log" 6<"$scratch/last.log"

# read_to DESCRIPTOR FILE PATTERN: reads on to a line with it, and keeps what was read. False where the log ends or
# says nothing for half a minute.
read_to() {
  local line
  grep -qE -- "$3" "$2" 2>/dev/null && return 0
  while IFS= read -r -t 30 -u "$1" line; do
    printf '%s\n' "$line" >>"$2"
    [[ $line =~ $3 ]] && return 0
  done
  return 1
}
read_to 4 "$scratch/journal.read" '"event":"ready"' || fail "the gateway starts"
read_to 5 "$scratch/first.read" 'daemon started' || fail "the first Postfix starts"
read_to 6 "$scratch/last.read" 'daemon started' || fail "the last Postfix starts"

# hand_in MODE-NUMBER: one message for each client and server, all in one session with the first Postfix.
hand_in() {
  local line client server
  exec 7<>"/dev/tcp/$first/2525"
  read -r -t 30 -u 7 line
  printf 'EHLO test\r\n' >&7
  while IFS= read -r -t 30 -u 7 line; do [[ $line =~ ^250\  ]] && break; done
  {
    for client in "${clients[@]}"; do
      for server in "${servers[@]}"; do
        printf 'MAIL FROM:<>\r\nRCPT TO:<m%s@%s.%s.test>\r\nDATA\r\n' "$1" "$client" "$server"
        printf 'Subject: between\r\n\r\nm%s\r\n.\r\n' "$1"
      done
    done
    printf 'QUIT\r\n'
  } >&7
  while IFS= read -r -t 30 -u 7 line; do [[ $line =~ ^221 ]] && break; done
  exec 7<&-
}

# in_tls EVENT: whether the journal says of this event of $to that it was over TLS.
in_tls() { grep "\"event\":\"$1\".*\"recipient\":\"$to\"" "$scratch/journal.read" | grep -q '"tls":"TLS' && echo yes || echo no; }

number=0 compared=0
for receiving in "none none" "attempt none" "attempt request" "attempt require" "require none" "require request" "require require"; do
  for sending in none attempt require verify; do
    read -r level certificate <<<"$receiving"
    number=$((number + 1))
    mode="server-level=$level/client-certificate=$certificate/client-level=$sending"
    configure "server-level=\"$level\" client-certificate=\"$certificate\" client-level=\"$sending\""
    : >"$scratch/journal.read"
    kill -HUP "$gateway"
    read_to 4 "$scratch/journal.read" '"event":"settings-(applied|refused)"' || fail "$mode: the gateway answers SIGHUP"
    hand_in "$number"
    for client in "${clients[@]}"; do
      for server in "${servers[@]}"; do
        to="m$number@$client.$server.test"
        read_to 5 "$scratch/first.read" "to=<$to>.*status=(sent|deferred|bounced)" || fail "$mode: no fate of $to at the first Postfix"
        got="refuse, nothing"
        if grep -qE "to=<$to>.*status=sent" "$scratch/first.read"; then
          read_to 4 "$scratch/journal.read" "\"event\":\"(relayed|deferred|bounced)\".*\"recipient\":\"$to\"" ||
            fail "$mode: no fate of $to in the journal"
          got="accept tls=$(in_tls received), hold"
          if grep -q "\"event\":\"relayed\".*\"recipient\":\"$to\"" "$scratch/journal.read"; then
            got="accept tls=$(in_tls received), redirect tls=$(in_tls relayed)"
            read_to 6 "$scratch/last.read" "to=<$to>.*status=sent" ||
              fail "$mode: the journal says that $to was relayed, and the last Postfix does not have it"
          fi
        fi
        expected=$(fate "$mode" "$client" "$server")
        [ "$got" = "$expected" ] || fail "$mode, $client, $server: with Postfix \"$got\", with the fake peers \"$expected\": $(grep -hE "$to" "$scratch"/*.read | tail -n 3)"
        compared=$((compared + 1))
      done
    done
  done
done
echo "$compared messages through $number mode combinations"
[ "$compared" -eq 252 ] || fail "252 are compared"
finish
