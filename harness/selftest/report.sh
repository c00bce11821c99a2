#!/usr/bin/env bash
# The HTML report in a real browser: a gateway that falls back to clear text whatever it is told is run, and the
# page is read as a reader would. Pictures of it are left in build/reports/pictures; with POSTERN_UPDATE=1 they
# become those of docs/reading-reports.md.
. "$(dirname "$0")/lib.sh"
: "${PICTURES:?}" "${NODE_MODULES:?}"
for program in chromium node; do
  command -v "$program" >/dev/null || cannot_run "$program is not installed"
done
[ -d "$NODE_MODULES/playwright-core" ] || cannot_run "playwright-core is not in $NODE_MODULES: scripts/test --full installs it"
own_scenarios
edit "$scenarios/gateways/reference.xml" 's/\$\{client-level\} clear/client-level="attempt" clear/'
cd "$scratch/copy" || exit 1
expect 1 "" "$POSTERN" run tls-modes client-certificates server-certificates stories/require-answers-530-to-what-leads-nowhere \
  --filter "server!=old-tls" --quiet --html "$scratch/report.html"
export FAILING=tls-modes/server-level=attempt/client-certificate=none/client-level=verify/client=plain/server=expired
NODE_PATH=$NODE_MODULES node "$SOURCE/reports/page/report_test.js" "$scratch/report.html" "$PICTURES" ||
  fail "the page is not as it should be"
[ -z "${POSTERN_UPDATE:-}" ] || cp "$PICTURES"/{report,grid,case}.png "$SOURCE/docs/pictures/"
finish
