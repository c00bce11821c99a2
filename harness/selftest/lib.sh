# Sourced by the self-tests beside it. $POSTERN is the program, $SOURCE the project's folder.
set -uo pipefail
: "${POSTERN:?}" "${SOURCE:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Where gateways of these tests run, so that what they leave behind can be counted.
export TMPDIR=$scratch/tmp
mkdir -p "$TMPDIR"
failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

# own_scenarios: a copy of the scenarios to break, in $scratch/copy, with the PKI beside it.
own_scenarios() {
  rm -rf "$scratch/copy"
  mkdir -p "$scratch/copy"
  cp -r "$SOURCE/scenarios" "$SOURCE/certs" "$scratch/copy/"
  scenarios=$scratch/copy/scenarios
}

# expect CODE TEXT COMMAND…: the exit code, and a text that the output must hold ("" for any).
expect() {
  local code=$1 text=$2 got
  shift 2
  "$@" >"$scratch/out" 2>&1
  got=$?
  [ "$got" -eq "$code" ] || { fail "exit $got instead of $code: $*"; tail -n 20 "$scratch/out"; }
  [ -z "$text" ] || grep -qF -- "$text" "$scratch/out" ||
    { fail "no \"$text\" in the output of: $*"; tail -n 20 "$scratch/out"; }
}

# edit FILE SED-EXPRESSION: an edit that must change something.
edit() {
  cp "$1" "$scratch/before"
  sed -i -E "$2" "$1"
  ! cmp -s "$1" "$scratch/before" || fail "the edit $2 changed nothing in $1"
}

finish() {
  [ "$failures" -eq 0 ] && echo "all as expected"
  exit "$((failures > 0))"
}

# cannot_run REASON: what this test needs is missing. A skip, which CI does not allow.
cannot_run() {
  echo "cannot run: $*"
  [ "${CI:-}" = true ] && exit 1
  exit 77
}
