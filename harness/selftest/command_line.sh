#!/usr/bin/env bash
# Exit codes that scripts can trust, and mistakes in scenarios that are refused before anything runs.
. "$(dirname "$0")/lib.sh"
cd "$SOURCE"
mode=tls-modes/server-level=none/client-certificate=none/client-level=none

expect 0 "in order" "$POSTERN" check scenarios
expect 0 "" "$POSTERN" --help
expect 2 "" "$POSTERN"
expect 2 "there is no option \"--no-such-option\"" "$POSTERN" run --no-such-option
expect 2 "there is no option \"--junitt\" (did you mean \"--junit\"?)" "$POSTERN" run "$mode" --junitt=x.xml
expect 2 "there is no option \"--reff\" (did you mean \"--ref\"?)" "$POSTERN" new-story a-story --reff IN-3
expect 2 "there is no command \"rn\" (did you mean \"run\"?)" "$POSTERN" rn --jobs 1
expect 2 "there is no command \"lst\" (did you mean \"list\"?)" "$POSTERN" lst
expect 2 "found \"more\" where nothing more is taken" "$POSTERN" check scenarios more
expect 2 "did you mean" "$POSTERN" run tls-modes/server-level=nome
expect 2 'allowed: "none", "attempt"' "$POSTERN" run --filter 'client-level==x'
expect 2 "did you mean" "$POSTERN" run --filter 'client-level=verfy'
expect 2 "no folder of scenarios" "$POSTERN" --scenarios "$scratch/none" check
expect 2 "no folder of scenarios" "$POSTERN" --scenarios "$scratch/none" certs "$scratch/pki"
expect 2 "found $scratch, which is no folder of scenarios, as it has no authority.xml" "$POSTERN" check "$scratch"
expect 2 "allowed: a whole one, no part of it" "$POSTERN" check scenarios/stories
expect 2 "there is no gateway" "$POSTERN" run --gateway refrence "$mode"
expect 2 'there is no gateway "posfix"' "$POSTERN" run --gateway reference,posfix "$mode"
expect 0 "can be run: " "$POSTERN" gateways
expect 0 "opensmtpd debian opensmtpd bookworm-backports" "$POSTERN" gateways --packages
expect 3 "scripts/mtas exim unpacks it" env POSTERN_MTAS="$scratch/none" PATH=/nowhere "$POSTERN" run --gateway exim "$mode"
expect 2 "POSTERN_TIME_SCALE" env POSTERN_TIME_SCALE=fast "$POSTERN" list
expect 3 "needs" bash -c "ulimit -n 200 && '$POSTERN' run $mode"
expect 3 ", or use fewer --jobs" bash -c "ulimit -n 200 && '$POSTERN' run tls-modes --jobs 2"
# The threads that one story needs are one.
expect 3 "needs" bash -c "ulimit -n 64 && '$POSTERN' run stories/mail-before-starttls-is-forgotten --jobs 2"
grep -q -- "--jobs" "$scratch/out" && fail "fewer than one job: $(cat "$scratch/out")"
needed=$(sed -n 's/.*(ulimit -n \([0-9]*\)).*/\1/p' "$scratch/out")
expect 0 "1 case: 1 pass" bash -c "ulimit -n $needed && '$POSTERN' run stories/mail-before-starttls-is-forgotten"
expect 0 "1 case: 1 pass" "$POSTERN" run "$mode/client=plain/server=good"
expect 3 "--min asks for 2" "$POSTERN" run --min 2 "$mode/client=plain/server=good"
expect 0 "not counted: 2" "$POSTERN" run tls-modes/server-level=require/client-certificate=require/client-level=verify/client=plain/server=good \
  tls-modes/server-level=attempt/client-certificate=none/client-level=verify/client=plain/server=expired

# Several gateways in one run: each case once for each, and the page has them side by side.
own_scenarios
sed 's/name="reference"/name="twin"/; s/grade="form"/grade="letter"/' scenarios/gateways/reference.xml >"$scenarios/gateways/twin.xml"
expect 0 "2 cases: 2 pass" "$POSTERN" --scenarios "$scenarios" run --gateway reference,twin --markdown "$scratch/both.md" \
  --junit "$scratch/both.xml" "$mode/client=plain/server=good"
grep -q '^| twin | 1 | 0 |' "$scratch/both.md" || fail "the page counts what each gateway reached"
[ "$(grep -c 'classname="twin\.tls-modes' "$scratch/both.xml")" -eq 1 ] || fail "JUnit has a suite for each gateway"

# What is known of a gateway is a skip, where it happens just so.
cat >"$scenarios/gateways/twin.deviations.xml" <<'XML'
<deviations gateway="twin" not-asked="1000">
  <deviation name="asks-nobody" cases="server-level=attempt client-certificate=request client-level=none client=starttls kind=matrix"
             until="2999-01-01" source="made up for this test">
    <seen>expected accept tls=yes asked=yes, got accept tls=yes asked=no</seen>
    <why>It asks nobody.</why>
  </deviation>
</deviations>
XML
known=tls-modes/server-level=attempt/client-certificate=request/client-level=none/client=starttls/server=good
expect 1 "the deviation asks-nobody" "$POSTERN" --scenarios "$scenarios" run --gateway twin "$known"
edit "$scenarios/gateways/twin.xml" 's|name="client-certificate" when="configured=yes">client-certificate="\$\{value\}"|name="client-certificate" when="configured=yes">client-certificate="none"|'
expect 0 "1 case: 1 skip (1 known deviation)" "$POSTERN" --scenarios "$scenarios" run --gateway twin "$known"
edit "$scenarios/gateways/twin.deviations.xml" 's|2999|1999|'
expect 1 "has counted until 1999-01-01" "$POSTERN" --scenarios "$scenarios" run --gateway twin "$known"
edit "$scenarios/gateways/twin.deviations.xml" 's|not-asked="1000"|not-asked="1"|'
expect 1 "cases of all are not asked of twin" "$POSTERN" --scenarios "$scenarios" run --gateway twin "$mode/client=plain/server=good"

# A covering array: fewer cases, the same for the same seed, and the run says what it covers.
expect 2 "strength" "$POSTERN" run --strength 4
expect 0 "pairs covered (seed 3)" "$POSTERN" list tls-modes --strength 2 --seed 3
"$POSTERN" list tls-modes --strength 2 --seed 3 2>/dev/null >"$scratch/pairs"
"$POSTERN" list tls-modes --strength 2 --seed 3 2>/dev/null | cmp -s - "$scratch/pairs" || fail "the same seed chooses the same cases"
"$POSTERN" list tls-modes --strength 2 --seed 4 2>/dev/null | cmp -s - "$scratch/pairs" && fail "another seed chooses others"
[ "$(wc -l <"$scratch/pairs")" -lt 600 ] || fail "pairs need few cases"
few=(--filter "kind=matrix client=plain|starttls server=good|expired")
expect 0 "strength 2: " "$POSTERN" run tls-modes --strength 2 --seed 3 "${few[@]}" --results "$scratch/few.jsonl"
grep -q '"notes":."strength 2: .* of 112 cases, all .* pairs covered (seed 3)"' "$scratch/few.jsonl" || fail "the results say what the run covered"

[ "$("$POSTERN" list --suites | grep -c '^tls-modes/server')" -eq 28 ] || fail "28 mode combinations are listed"
[ "$("$POSTERN" list | sort | uniq -d | wc -l)" -eq 0 ] || fail "case ids are unique"

expect 2 "found \"-1\"" "$POSTERN" run --seed -1 "$mode/client=plain/server=good"
expect 0 "" "$POSTERN" run --seed 0 --results "$scratch/zero.jsonl" "$mode/client=plain/server=good"
grep -q '"seed":0' "$scratch/zero.jsonl" || fail "the seed 0 is one like others"
# Shards put together are a whole, or say what they lack; one may have no case.
for i in 1 2 3; do
  expect 0 "Shard $i of 3" "$POSTERN" run tls-modes --filter "client=plain server=good client-level=none" --shard $i/3 \
    --quiet --results "$scratch/shard$i.jsonl"
done
expect 0 "PASSED" "$POSTERN" report "$scratch"/shard[123].jsonl
expect 3 "shard 2 of 3 is missing" "$POSTERN" report "$scratch"/shard[13].jsonl --quiet --junit "$scratch/lost.xml"
grep -q '<error.*shard 2 of 3 is missing' "$scratch/lost.xml" || fail "JUnit does not tell of a shard that is missing"
expect 3 "shard 1 of 3 is there more than once" "$POSTERN" report "$scratch"/shard[123].jsonl "$scratch/shard1.jsonl"
expect 0 "PASSED" "$POSTERN" run --shard 2/2 --quiet --junit "$scratch/none.xml" "$mode/client=plain/server=good"
! grep -q '<error' "$scratch/none.xml" || fail "a shard without a case is an error in JUnit"
expect 2 "sought: $scratch/none)" env POSTERN_SCENARIOS="$scratch/none" "$POSTERN" check
expect 3 "only 1 case was judged, and --min asks for 2" "$POSTERN" run --min 2 --junit "$scratch/min.xml" \
  --markdown "$scratch/min.md" "$mode/client=plain/server=good"
grep -q 'classname="postern"' "$scratch/min.xml" || fail "the JUnit report of too few cases is not green"
grep -qF "> only 1 case was judged" "$scratch/min.md" || fail "the Markdown says why the run is not in order"
expect 0 "Kept: " "$POSTERN" run --keep --quiet tls-modes/invalid --filter client-level=attempt

# What --fail-fast leaves out, every report says.
own_scenarios
sed -e 's/name="reference"/name="lax"/' -e 's/server-level="${value}"/server-level="attempt"/' scenarios/gateways/reference.xml >"$scenarios/gateways/lax.xml"
fast=(--gateway lax --jobs 1 tls-modes --filter "server-level=require client-certificate!=request client=plain server=good kind=matrix")
left_out="7 of 8 cases were not run (--fail-fast)"
expect 1 "$left_out" "$POSTERN" --scenarios "$scenarios" run "${fast[@]}" --fail-fast --results "$scratch/fast.jsonl" \
  --junit "$scratch/fast.xml" --markdown "$scratch/fast.md" --html "$scratch/fast.html"
grep -qF "\"reason\":\"$left_out\"" "$scratch/fast.jsonl" || fail "the results say what --fail-fast left out"
grep -q "<error.*message=.$left_out" "$scratch/fast.xml" || fail "JUnit says what --fail-fast left out"
grep -qF "> $left_out" "$scratch/fast.md" || fail "the Markdown says what --fail-fast left out"
grep -q "class=.remark.*$left_out" "$scratch/fast.html" || fail "the page says what --fail-fast left out"
expect 1 "$left_out" "$POSTERN" --scenarios "$scenarios" run --quiet "${fast[@]}" --fail-fast
"$POSTERN" --scenarios "$scenarios" run "${fast[@]}" | grep -F "not run" && fail "all is run without --fail-fast"
expect 0 "PASSED" "$POSTERN" run --quiet --fail-fast "$mode/client=plain/server=good"
! grep -q "not run" "$scratch/out" || fail "--fail-fast left nothing out"

# Reports: refused before anything runs where they cannot be written, written as it stands what is no
# file, told at the end; a failure stays one whatever becomes of its report.
one=$mode/client=plain/server=good
mkdir "$scratch/folder"
expect 2 "--junit: $scratch/folder is a folder" "$POSTERN" run --junit "$scratch/folder" "$one"
expect 2 "--markdown: $scratch/folder/../same is named by --junit already" "$POSTERN" run \
  --junit "$scratch/same" --markdown "$scratch/folder/../same" "$one"
expect 2 "--results: the folder /dev/null/x cannot be made" "$POSTERN" run --results /dev/null/x/y "$one"
expect 0 "Reports: r.xml (JUnit), r.md (Markdown), r.jsonl (every case)" env -C "$scratch" "$POSTERN" \
  --scenarios "$SOURCE/scenarios" run --results r.jsonl --junit r.xml --markdown r.md "$one"
expect 0 "Reports: /dev/null (JUnit), $scratch/r.md (Markdown), /dev/null (every case)" "$POSTERN" run \
  --results /dev/null --junit /dev/null --markdown "$scratch/r.md" "$one"
[ -c /dev/null ] || fail "/dev/null is still a device"
expect 0 '<testsuites name="postern"' "$POSTERN" run --quiet --junit /dev/stdout "$one"
expect 3 "PASSED" "$POSTERN" run --quiet --junit /dev/full "$one"
[ "$("$POSTERN" run --quiet "$one" | grep -c Reports:)" -eq 0 ] || fail "no reports, no word of them"

# Coverage: a requirement without a case is named with its place.
own_scenarios
edit "$scenarios/requirements.xml" 's|^</requirements>|  <requirement id="NEW-1" source="nowhere" level="MUST">Nothing cites it.</requirement>\n&|'
expect 1 "NEW-1 has no case: Nothing cites it." "$POSTERN" --scenarios "$scenarios" coverage
expect 0 "  stories/starttls-takes-no-parameter" "$POSTERN" coverage --cases
expect 0 "  tls-modes outbound: " "$POSTERN" coverage --cases

expect 1 "NEW-1 (MUST, nowhere)" "$POSTERN" --scenarios "$scenarios" coverage NEW-1
expect 0 "stories/starttls-takes-no-parameter" "$POSTERN" coverage STLS-1
expect 2 "did you mean \"STLS-1\"" "$POSTERN" coverage STLS-11

# Gaps: each has an id, and for most of them something can be begun.
expect 1 "requirement/NEW-1" "$POSTERN" --scenarios "$scenarios" gaps
expect 2 "found no gap" "$POSTERN" --scenarios "$scenarios" gaps --new requirement/NEW-2
expect 0 "stories/starttls/new-1.xml" "$POSTERN" --scenarios "$scenarios" gaps --new requirement/NEW-1
expect 0 "1 case: 1 pass" "$POSTERN" --scenarios "$scenarios" run stories/new-1
printf '| `%s` | %s | 0 |  |\n' odd "does odd things" >"$scratch/faults.md"
expect 1 "does odd things" "$POSTERN" gaps --faults "$scratch/faults.md"
expect 0 "stories/catches-odd" "$POSTERN" --scenarios "$scenarios" gaps --faults "$scratch/faults.md" --new uncaught/odd
file=$(find "$scenarios" -name catches-odd.xml)
grep -qF "<!-- odd: no scenario catches this faulty gateway: does odd things." "$file" || fail "the story names the faulty gateway"
expect 0 "1 case: 1 pass" "$POSTERN" --scenarios "$scenarios" run stories/catches-odd
# Every gap can be begun, of each kind one: what is written passes the check.
for kind in settings fault/client fault/server certificate story; do
  "$POSTERN" --scenarios "$scenarios" gaps "$kind/" | grep "^$kind/" | sed "s/ .*//" >"$scratch/ids"
  [ -s "$scratch/ids" ] || continue
  expect 0 "wrote " "$POSTERN" --scenarios "$scenarios" gaps --new "$(head -n 1 "$scratch/ids")"
  [ "$(wc -l <"$scratch/ids")" -lt 2 ] ||
  expect 0 "wrote " "$POSTERN" --scenarios "$scenarios" gaps --new "$(tail -n 1 "$scratch/ids")"
  expect 0 "in order" "$POSTERN" check "$scenarios"
done
expect 1 "nobody plays " "$POSTERN" gaps

# A story to begin with passes as it is, on either side, and is never written over another.
own_scenarios
for side in client server; do
  expect 0 "wrote" "$POSTERN" --scenarios "$scenarios" new-story "brand-new-$side" --ref IN-3 --side "$side"
  grep -q "See it fail once: expect what is not due. In a checkout of Postern, " "$scratch/out" || fail "new-story sends everybody to what a checkout alone has"
  expect 0 "1 case: 1 pass" "$POSTERN" --scenarios "$scenarios" run "stories/brand-new-$side"
  expect 2 "there is a story" "$POSTERN" --scenarios "$scenarios" new-story "brand-new-$side" --ref IN-3
done
expect 2 "did you mean" "$POSTERN" --scenarios "$scenarios" new-story another --ref IN-33
expect 2 "allowed: small letters" "$POSTERN" --scenarios "$scenarios" new-story "Not a name" --ref IN-3
expect 0 "in order" "$POSTERN" check "$scenarios"

# Unrest on the wire changes no verdict, and the same seed does the same. What ends now this way and now
# another is unstable.
expect 0 "1 case: 1 pass" "$POSTERN" run --jitter --seed 5 "$mode/client=plain/server=good"
expect 0 "2 cases: 2 pass" "$POSTERN" run --jitter --repeat 2 "$mode/client=plain/server=good"
own_scenarios
# From its second start on this gateway takes require for attempt.
moody='<start><arg>sh</arg><arg>-c</arg><arg>[ ! -e ONCE ] || sed -i '"'s/server-level=.require./server-level=\\x22attempt\\x22/'"' "$5"; touch ONCE; exec "$@"</arg><arg>sh</arg>'
text=$(<"$scenarios/gateways/reference.xml")
text=${text/'name="reference"'/'name="moody"'}
text=${text/'<start>'/"${moody//ONCE/"$scratch/once"}"}
printf '%s\n' "$text" >"$scenarios/gateways/moody.xml"
expect 1 "another time fail, accept" "$POSTERN" --scenarios "$scenarios" run --gateway moody --repeat 2 --jobs 1 \
  tls-modes/server-level=require/client-certificate=none/client-level=none/client=plain/server=good
grep -q "^UNSTABLE  tls-modes" "$scratch/out" && grep -q "^Another time:" "$scratch/out" || fail "both dialogues are shown"

# A gateway that cannot take settings while it runs: skipped, with the reason.
own_scenarios
reference=$scenarios/gateways/reference.xml
sed -e "s/name=\"reference\"/name=\"still\"/" -e "/<apply /d" "$reference" >"$scenarios/gateways/still.xml"
expect 0 "1 case: 1 skip" "$POSTERN" --scenarios "$scenarios" run --gateway still --results "$scratch/still.jsonl" stories/from-none-to-verify-without-a-restart
grep -q "does not say how it takes settings while it runs" "$scratch/still.jsonl" || fail "the skip has its reason"

# An option given twice: the last one wins.
"$POSTERN" run "$mode/client=plain/server=good" --junit "$scratch/a.xml" --junit "$scratch/b.xml" >/dev/null 2>&1
[ ! -e "$scratch/a.xml" ] && [ -s "$scratch/b.xml" ] || fail "the last --junit wins"

# A changed rule that decides no control: red cells, and just its own.
own_scenarios
matrix=$scenarios/matrices/tls-modes.xml
rule=$(grep -n 'expect="hold code=4.7.4"' "$matrix" | cut -d: -f1)
[ -n "$rule" ] || fail "the matrix has a rule for servers that offer no TLS"
edit "$matrix" "${rule}s/expect=\"hold[^\"]*\"/expect=\"bounce\"/"
edit "$matrix" "${rule}s/letter=\"[^\"]*\"/letter=\"bounce\"/"
expect 0 "in order" "$POSTERN" check "$scenarios"
expect 1 "expected bounce, got hold" "$POSTERN" --scenarios "$scenarios" run --seed 7 --junit /dev/full --filter \
  'server-level=none client-level=verify client=plain server=plain|good|expired'
grep -qF "postern run --scenarios $scenarios --seed 7 tls-modes/" "$scratch/out" || fail "a case is run again with what decides it"
expect 0 "2 cases: 2 pass" "$POSTERN" --scenarios "$scenarios" run --filter \
  'server-level=none client-level=verify client=plain server=good|expired'

# A changed rule that decides a control, a deleted and a doubled rule are refused.
own_scenarios
matrix=$scenarios/matrices/tls-modes.xml
control=$(grep -n '<rule ref="OUT-4".*server=good|' "$matrix" | cut -d: -f1)
[ -n "$control" ] || fail "the matrix has a rule for good servers under verify"
edit "$matrix" "${control}s/expect=\"[^\"]*\"/expect=\"hold\"/"
expect 2 "$(basename "$matrix")" "$POSTERN" check "$scenarios"
own_scenarios
matrix=$scenarios/matrices/tls-modes.xml
edit "$matrix" "${rule}d"
expect 2 "$(basename "$matrix")" "$POSTERN" check "$scenarios"
own_scenarios
matrix=$scenarios/matrices/tls-modes.xml
edit "$matrix" "${rule}p"
expect 2 "$(basename "$matrix"):$rule" "$POSTERN" check "$scenarios"

# A mistake anywhere: its place, and what was meant.
own_scenarios
edit "$scenarios/stories/starttls/starttls-takes-no-parameter.xml" 's/<hear reply="501"/<haer reply="501"/'
expect 2 'did you mean "hear"' "$POSTERN" run "$mode/client=plain/server=good" --scenarios "$scenarios"
printf '<story ref="IN-1"' >"$scenarios/stories/broken.xml"
expect 2 "broken.xml:1" "$POSTERN" check "$scenarios"

# What must happen, without anything being run.
expect 0 "drop reply=530" "$POSTERN" explain server-level=require client=plain server=good client-certificate=none client-level=none
grep -q "IN-3 .*Server level require" "$scratch/out" || fail "explain does not give the requirement's words"
grep -q "scenarios/matrices/tls-modes.xml:" "$scratch/out" || fail "explain does not name the rule"
[ "$(awk 'length > 80' "$scratch/out" | wc -l)" -eq 0 ] || fail "explain is wider than 80 columns"
expect 0 "hold code=4.7.5" "$POSTERN" explain tls-modes/server-level=require/client-certificate=none/client-level=verify/client=starttls/server=expired
expect 0 "LEAK-4" "$POSTERN" explain tls-modes/server-level=require/client-certificate=none/client-level=verify/client=starttls/server=expired
expect 0 "rejected" "$POSTERN" explain tls-modes/invalid
expect 0 'a warning that says "not for a public MX"' "$POSTERN" explain server-level=require client-certificate=require client=plain server=good client-level=none
grep -q "SET-4 " "$scratch/out" || fail "explain does not name the requirement of a warning"
expect 0 "each must get what it expects" "$POSTERN" explain stories/bytes-after-starttls-are-not-executed
expect 2 "no-such-key" "$POSTERN" explain no-such-key=1

# The page of the fake servers has a row for each that is listed.
expect 0 "its certificate has expired" "$POSTERN" serve --list --page "$scratch/servers.html"
[ "$(grep -c '<tr><td><code>127.0.0.1:' "$scratch/servers.html")" -eq "$(grep -c '^127.0.0.1:' "$scratch/out")" ] ||
  fail "the page has other servers than the list"
grep -q 'expired</th><td>its certificate has expired</td><td>1.3</td>' "$scratch/servers.html" || fail "the page does not say what a server does"
expect 2 "--page" "$POSTERN" serve --list --page "$scratch/no/such/folder/servers.html"
# Those that are named are counted among themselves: one at the very port, or each at an address.
expect 0 "127.0.0.1:25  expired" "$POSTERN" serve expired --port 25 --list
expect 0 "127.0.0.1:2601  expired" "$POSTERN" serve good expired good --list
[ "$(wc -l <"$scratch/out")" -eq 2 ] || fail "a server that is named twice stands twice"
expect 0 "127.0.0.3:25  good" "$POSTERN" serve expired good --addresses --port 25 --list
expect 0 "127.0.0.2:2525  adds-all-replies" "$POSTERN" serve --addresses --list
[ "$(cut -d" " -f1 "$scratch/out" | sort -u | grep -c ":2525$")" -eq "$(wc -l <"$scratch/out")" ] ||
  fail "two servers have the same address"
expect 0 "127.9.0.1:2525  expired" "$POSTERN" serve good expired --addresses --address 127.9.0.0 --list
expect 2 "an IPv4 address of this machine" "$POSTERN" serve --addresses --address ::1 --list
expect 2 "allowed: 1 to 65534, as there are 2 servers" "$POSTERN" serve good expired --port 65535 --list
finish
