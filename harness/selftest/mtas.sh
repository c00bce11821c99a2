#!/usr/bin/env bash
# The matrices against every MTA that there is a gateway file for, as many cases as cover every pair of
# values: each does what is required, or deviates just as its deviations file tells.
. "$(dirname "$0")/lib.sh"
cd "$SOURCE"
[ "$(id -u)" -eq 0 ] || cannot_run "MTAs see files of their own in the machine's places, which needs root"
scripts/mtas >"$scratch/mtas" 2>&1 || cannot_run "an MTA cannot be had: $(tail -n 1 "$scratch/mtas")"

# MTAs give up root and still have to reach their folders.
chmod 0711 "$scratch" "$TMPDIR"
# A few cases that did not do it once are played three times more, alone: MTAs have clocks of their own, and this
# machine is busy. They are told, and red if they do it again. What is wrong of the MTA, or of its file, does.
again() {
  local commands command
  mapfile -t commands < <(grep -hE '"verdict":"(fail|error|inconclusive|invalid)"' build/reports/mtas.jsonl \
    build/reports/mtas-stories.jsonl | grep -oE '"rerun":"[^"]*"' | sed -E 's/^"rerun":"(.*)"$/\1/')
  [ ${#commands[@]} -gt 0 ] && [ ${#commands[@]} -le 3 ] || return 1
  for command in "${commands[@]}"; do
    echo "UNSTABLE, played again: $command"
    bash -c "$command --repeat 3 --quiet" || return 1
  done
}
rm -f build/reports/mtas.jsonl build/reports/mtas-stories.jsonl
scripts/mtas --sample || again || fail "the MTAs do not do what is required or known of them"

for process in /proc/[0-9]*; do
  case $(readlink "$process/cwd" 2>/dev/null) in
    "$TMPDIR"/*) fail "a process is left in a gateway's folder: $(tr '\0' ' ' <"$process/cmdline")" ;;
  esac
done
[ -z "$(find "$TMPDIR" -maxdepth 1 -name 'postern-*')" ] || fail "no folder is left"
grep -q "$TMPDIR" /proc/self/mountinfo && fail "no mount is left"
finish
