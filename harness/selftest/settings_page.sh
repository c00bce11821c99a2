#!/usr/bin/env bash
# The settings page in a real browser: log in, choose, see what would happen, apply, and then a real SMTP client
# sees the new behaviour. Pictures of it are left in build/reports/pictures; with POSTERN_UPDATE=1
# they become those of docs/settings-page.md.
. "$(dirname "$0")/lib.sh"
: "${GATEWAY:?}" "${PICTURES:?}" "${NODE_MODULES:?}"
for program in chromium node openssl; do
  command -v "$program" >/dev/null || cannot_run "$program is not installed"
done
[ -d "$NODE_MODULES/playwright-core" ] || cannot_run "playwright-core is not in $NODE_MODULES: scripts/test --full installs it"

cd "$scratch" || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=gw.example.test \
  -addext subjectAltName=DNS:gw.example.test -keyout gw.key -out gw.pem 2>/dev/null || fail "openssl made no certificate"
expect 2 "allowed: 8 or more" "$GATEWAY" --hash-password <<<short
hash=$("$GATEWAY" --hash-password <<<'correct horse battery')
cat >gateway.xml <<END
<gateway name="gw.example.test" data="queue">
  <listen address="127.0.0.1" port="0"/>
  <!-- This comment stays. -->
  <tls certificate="gw.pem" key="gw.key" client-ca="gw.pem" next-hop-ca="gw.pem"/>
  <relay network="127.0.0.0/8"/>
  <route domain="held.test" address="127.0.0.1" port="1"/>
  <route domain="*" folder="delivered"/>
  <journal file="gateway.journal"/>
  <web port="0" password="$hash"/>
</gateway>
END

# start: the gateway, in $gateway, with its ports in $smtp and $web.
start() {
  : >ready
  "$GATEWAY" gateway.xml >ready 2>stderr &
  gateway=$!
  until grep -q READY ready; do
    kill -0 "$gateway" 2>/dev/null || { cat stderr; fail "the gateway did not start"; finish; }
    read -rt 0.05 <> <(:) || true
  done
  smtp=$(sed -nE 's/^READY smtp=127\.0\.0\.1:([0-9]+).*/\1/p' ready)
  web=$(sed -nE 's/^READY .*web=127\.0\.0\.1:([0-9]+).*/\1/p' ready)
}
stop() { kill -TERM "$gateway" && wait "$gateway"; }
trap 'kill -KILL "$gateway" 2>/dev/null; rm -rf "$scratch"' EXIT

start
SMTP_PORT=$smtp NODE_PATH=$NODE_MODULES node "$SOURCE/gateway/web/settings_page_test.js" \
  "http://127.0.0.1:$web" "$PICTURES" || fail "the page is not as it should be"
grep -q '"event":"settings-applied","generation":2,"by":"web","who":"127.0.0.1"' gateway.journal ||
  fail "the journal does not say who applied the settings"
grep -qF '<!-- This comment stays. -->' gateway.xml || fail "the comment is gone"
stop || fail "the gateway ended with $?"

# What was applied last is require, none, verify: it holds after a restart, for a client that is not ours.
start
exec 3<>"/dev/tcp/127.0.0.1/$smtp"
read -rt 20 greeting <&3 && [[ $greeting == 220* ]] || fail "there is no greeting after the restart"
printf 'EHLO client.test\r\nMAIL FROM:<a@a.test>\r\n' >&3
timeout 20 cat <&3 >said || true
exec 3>&-
grep -q '^250[- ]STARTTLS' said || fail "STARTTLS is not offered after the restart"
grep -q '^530 5.7.0' said || fail "clear text is not refused after the restart"
timeout 20 openssl s_client -connect "127.0.0.1:$smtp" -starttls smtp -crlf -quiet -CAfile gw.pem \
  -verify_return_error >said 2>&1 <<'END' || true
EHLO client.test
MAIL FROM:<a@a.test>
RCPT TO:<b@b.test>
DATA
Subject: over TLS

hello
.
QUIT
END
grep -q '^250 2.0.0 Ok: queued as' said || { cat said; fail "no message was taken over TLS"; }
stop || fail "the gateway ended with $?"
[ -z "${POSTERN_UPDATE:-}" ] || cp "$PICTURES"/settings-{page,certificates,queue,sessions,japanese}.png "$SOURCE/docs/pictures/"
finish
