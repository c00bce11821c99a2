#!/usr/bin/env bash
# The matrices against every MTA that there is a gateway file for, as many cases as cover every pair of
# values: each does what is required, or deviates just as its deviations file tells.
. "$(dirname "$0")/lib.sh"
cd "$SOURCE"
[ "$(id -u)" -eq 0 ] || cannot_run "MTAs see files of their own in the machine's places, which needs root"
scripts/mtas >"$scratch/mtas" 2>&1 || cannot_run "an MTA cannot be had: $(tail -n 1 "$scratch/mtas")"

# MTAs give up root and still have to reach their folders.
chmod 0711 "$scratch" "$TMPDIR"
scripts/mtas --sample || fail "the MTAs do not do what is required or known of them"

for process in /proc/[0-9]*; do
  case $(readlink "$process/cwd" 2>/dev/null) in
    "$TMPDIR"/*) fail "a process is left in a gateway's folder: $(tr '\0' ' ' <"$process/cmdline")" ;;
  esac
done
[ -z "$(find "$TMPDIR" -maxdepth 1 -name 'postern-*')" ] || fail "no folder is left"
grep -q "$TMPDIR" /proc/self/mountinfo && fail "no mount is left"
finish
