#!/usr/bin/env bash
# The JUnit report in programs that read it: xunit-viewer and Allure show as many cases of each kind as there are,
# with their texts, and Jenkins' schema has the strict flavour. What they would pass over in silence, a control
# character for one, is in the report.
. "$(dirname "$0")/lib.sh"
: "${NODE_MODULES:?}"
for program in node java xmllint; do
  command -v "$program" >/dev/null || cannot_run "$program is not installed"
done
for package in xunit-viewer allure-commandline mocha-junit-reporter; do
  [ -d "$NODE_MODULES/$package" ] || cannot_run "$package is not in $NODE_MODULES: scripts/test --full installs it"
done
own_scenarios
# A gateway that falls back to clear text, and stories in which bytes are said that are no text.
edit "$scenarios/gateways/reference.xml" 's/\$\{client-level\} clear/client-level="attempt" clear/'
mkdir "$scratch/in"
expect 1 "FAILED" "$POSTERN" --scenarios "$scenarios" run stories \
  tls-modes/server-level=attempt/client-certificate=none/client-level=verify --quiet \
  --filter 'case!=stories/a-command-that-comes-in-drips-gets-421' \
  --junit "$scratch/in/junit.xml" --results "$scratch/results.jsonl"
LC_ALL=C grep -q '\\x00\|\\xFF\|\\x1B' "$scratch/in/junit.xml" || fail "the report has no byte that XML forbids"
count() { grep -c "\"verdict\":\"$1\"" "$scratch/results.jsonl"; }
passed=$(count pass) failed=$(count fail) skipped=$(count skip)
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -gt 50 ] && [ "$passed" -gt 200 ] || fail "too few cases for this test"

NO_COLOR=1 "$NODE_MODULES/.bin/xunit-viewer" -r "$scratch/in/junit.xml" -o "$scratch/viewer.html" -c >"$scratch/viewer" 2>&1
grep -q "$failed failure" "$scratch/viewer" && grep -q "$passed passed" "$scratch/viewer" ||
  fail "xunit-viewer counts otherwise: $(grep -E 'passed|failure' "$scratch/viewer" | tail -n 1)"
grep -q "outbound: expected hold code=4.7.5, got redirect" "$scratch/viewer" || fail "xunit-viewer does not show why a case failed"

"$NODE_MODULES/.bin/allure" generate "$scratch/in" -o "$scratch/allure" --clean >"$scratch/out" 2>&1
grep -q "\"failed\":$failed,\"broken\":0,\"skipped\":$skipped,\"passed\":$passed," "$scratch/allure/widgets/summary.json" ||
  fail "Allure counts otherwise: $(cat "$scratch/allure/widgets/summary.json")"
grep -qrF "outbound: expected hold code=4.7.5, got redirect" "$scratch/allure/data/test-cases" || fail "Allure does not show why a case failed"

# The schema that Jenkins published has the strict flavour, and not the common one.
schema=$NODE_MODULES/mocha-junit-reporter/test/resources/jenkins-junit.xsd
expect 1 "" "$POSTERN" report "$scratch/results.jsonl" --junit "$scratch/strict.xml" --junit-flavour strict
expect 0 validates xmllint --noout --schema "$schema" "$scratch/strict.xml"
expect 3 "fails to validate" xmllint --noout --schema "$schema" "$scratch/in/junit.xml"
finish
