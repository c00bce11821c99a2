#!/usr/bin/env bash
# The whole matrix against the reference gateway, its levels set through the form of its settings page instead
# of the configuration file. Arguments are those of postern run.
. "$(dirname "$0")/lib.sh"
command -v curl >/dev/null || cannot_run "curl is not installed"
own_scenarios
export THROUGH_THE_PAGE=$SOURCE/harness/selftest/set_through_the_page.sh
sed -n '/<record /,/<\/record>/p' "$scenarios/gateways/reference.xml" >"$scratch/record"
[ "$(grep -c '<event ' "$scratch/record")" -gt 10 ] || fail "the reference gateway's file has no record any more"
sed "/<!-- record -->/r $scratch/record" "$SOURCE/harness/selftest/gateways/settings-page.xml" \
  >"$scenarios/gateways/settings-page.xml"
"$POSTERN" --scenarios "$scenarios" run tls-modes --gateway settings-page --quiet "$@" || fail "exit $?"
finish
