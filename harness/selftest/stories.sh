#!/usr/bin/env bash
# Stories that the reference gateway, which is right, must not pass: what a step or a check says of
# ${names}, and what nobody hears. Each ends as `fail`, or as `error` where the story itself is wrong.
. "$(dirname "$0")/lib.sh"
own_scenarios

# told CODE TEXT INSIDE: a story with this inside, run, ends with the exit code and the text.
told() {
  printf '<story ref="SMTP-14" why="w">\n<gateway server-level="attempt"/>\n%s\n</story>\n' "$3" \
    >"$scenarios/stories/told.xml"
  expect "$1" "$2" "$POSTERN" --scenarios "$scenarios" run stories/told
}

greeted='<hear reply="220"/><say>EHLO a</say><hear reply="250"/>'
quit='<say>QUIT</say><hear reply="221"/><end/>'
plain="<client>$greeted<deliver/>$quit</client><expect next-hop=\"tls\"/>"

told 0 "1 pass" "$plain<delivered contains=\"\${token}\" lacks=\"X-\${token}\"/>"
told 1 "told.xml:4:2: expected no \"" "$plain
<delivered lacks=\"\${token}\"/>"
told 1 "told.xml:4:2: expected delivered with \"no " "$plain
<record event=\"delivered\" contains=\"no \${recipient}\"/>"
# How far the run is stands on lines of its own, where both go to one file.
grep -qE "^stories: 1 case, 1 not passed, [0-9.]+ s$" "$scratch/out" || fail "progress within a line: $(cat "$scratch/out")"

# What a client may end without never sets anything: no failure of the gateway.
never="<client>$greeted<say>STARTTLS</say><hear reply=\"220\"/><starttls tls=\"1.0\" may=\"fail\"/>
<say>NOOP</say><hear reply=\"250\" capture=\"(\\w+)\" as=\"id\"/><close/></client>"
told 3 "told.xml:5:2: the story is wrong: nothing has set \${id}" "$never$plain
<delivered contains=\"\${id}\"/>"

# What comes unheard is a failure, wherever the script goes on or ends.
twice='<say times="2">NOOP</say><hear reply="250"/>'
told 1 "expected nothing more behind this step, got 250" "<client>$greeted$twice</client>"
told 1 "expected nothing more on the connection before, got 250" \
  "<client>$greeted<say times=\"2\">NOOP</say><hear reply=\"250\"/><connect/>$greeted$quit</client>"
told 1 "expected only the end of the connection, got 221" \
  "<client>$greeted<say raw=\"NOOP\\r\\nQUIT\\r\\n\"/><hear reply=\"250\"/><end/></client>"
told 0 "1 pass" "<client>$greeted$twice<close/></client>"
told 0 "1 pass" "<client>$greeted$twice<reset/><connect/>$greeted$quit</client>"

# Early data is told where it went out, as what it is.
told 0 "1 pass" "<client>$greeted<say>STARTTLS</say><hear reply=\"220\"/>
<starttls resume=\"made-up\" early=\"NOOP early\\r\\n\"/>$quit</client>"
expect 0 "1 pass" "$POSTERN" --scenarios "$scenarios" run stories/told --transcripts --results "$scratch/told.jsonl"
grep -A 1 "early data, behind the ClientHello: ╌" "$scratch/out" | grep -q " NOOP early ╌.*▶│" ||
  fail "the transcript has no early data: $(cat "$scratch/out")"
grep -qF '"phase":"handshake","kind":"data","text":"NOOP early\r\n"' "$scratch/told.jsonl" || fail "the results have no early data"

# What is no command is named as it was said.
told 1 "expected a reply 250 to \"\x01[31m]]>no &\", got 500" \
  "<client>$greeted<say raw=\"\\x01[31m]]&gt;no &amp;\\r\\n\"/><hear reply=\"250\"/></client>"

# Who forgets the command is told so.
told 1 "got wrong version number; no STARTTLS came before it, and <starttls/> is the handshake alone" \
  "<client>$greeted<starttls/></client>"

finish
