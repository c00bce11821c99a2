#!/usr/bin/env bash
# The proof that a gateway file is enough: Postfix, described in scenarios/gateways/postfix.xml and by
# no line of C++, is judged on one mode combination with four clients and four servers.
. "$(dirname "$0")/lib.sh"
cd "$SOURCE"
[ "$(id -u)" -eq 0 ] || cannot_run "Postfix's master can be started by root only"
scripts/mtas postfix >/dev/null 2>"$scratch/mtas" || cannot_run "postfix cannot be had: $(tail -n 1 "$scratch/mtas")"

# Postfix gives up root and still has to reach its folder.
chmod 0711 "$scratch" "$TMPDIR"
mode=tls-modes/server-level=attempt/client-certificate=request/client-level=verify
results=$scratch/postfix.jsonl
expect 0 "16 cases: 16 pass" "$POSTERN" run --gateway postfix --min 16 --results "$results" "$mode" \
  --filter 'client=plain|starttls|good-cert|expired server=plain|good|expired|wrong-host'

# cases PATTERN: how many of the cases have it.
cases() { grep '^{"type":"case"' "$results" | grep -v '"control":true' | grep -cE "$1"; }
[ "$(cases .)" -eq 16 ] || fail "16 cases are judged, not $(cases .)"
# No negative passes on time alone: Postfix's own record speaks in each.
held=$(cases '"observed":"hold".*"evidence":\[[^]]*"record"')
[ "$held" -eq 12 ] || fail "12 cases are held on record, not $held"
! cases '"evidence":\[\]' >/dev/null || fail "no leg is without evidence"

[ "$(pgrep -f "postfix/sbin/master.*$TMPDIR" | wc -l)" -eq 0 ] || fail "no master is left"
for process in /proc/[0-9]*; do
  case $(readlink "$process/cwd" 2>/dev/null) in
    "$TMPDIR"/*) fail "a process is left in Postfix's folder: $(tr '\0' ' ' <"$process/cmdline")" ;;
  esac
done
finish
