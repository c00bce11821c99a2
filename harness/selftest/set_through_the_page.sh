#!/usr/bin/env bash
# set_through_the_page.sh GATEWAY DIR: runs the gateway of DIR/gateway.xml. Once it is ready, the form in DIR/form
# is sent as a browser sends it; descriptor 3 gets the ready line when that is applied. What the page refuses
# goes to stderr, and ends it with 2.
set -uo pipefail
gateway=$1 dir=$2
cd "$dir" || exit 2
mkfifo ready
"$gateway" --die-with-parent --ready-fd 4 gateway.xml <&0 3>&- 4>ready &
pid=$!
trap 'kill -TERM $pid 2>/dev/null' TERM
# ended: waits for the gateway, whatever signals come meanwhile; its exit code.
ended() {
  local code
  while wait "$pid"; code=$?; kill -0 "$pid" 2>/dev/null; do :; done
  return "$code"
}

read -r line <ready || { ended; exit; }
page=http://${line##* web=}
ask() { curl --silent --show-error --max-time 20 --cookie jar --cookie-jar jar --output page "$@"; }
ask --data-urlencode 'password=through the page' "$page/login" && ask "$page/encryption"
csrf=$(sed -nE 's/.*name="csrf" value="([^"]*)".*/\1/p' page | head -n 1)
generation=$(sed -nE 's/.*name="generation" value="([^"]*)".*/\1/p' page)
status=$(ask --write-out '%{http_code}' --data "csrf=$csrf&generation=$generation&$(<form)" "$page/encryption")
if [ "$status" != 303 ]; then
  sed -nE 's/.*<pre>([^<]*).*/\1/p' page | sed 's/&quot;/"/g' >&2
  kill -TERM $pid
  ended
  exit 2
fi
echo "$line" >&3
exec 3>&-
ended
