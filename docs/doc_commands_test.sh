#!/usr/bin/env bash
# scripts/doc-commands fails where a document is wrong, and says where.
set -uo pipefail
: "${SOURCE:?}" "${PROGRAMS:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# expect CODE TEXT [OPTION…]: the document is stdin.
expect() {
  local code=$1 text=$2 got
  shift 2
  cat >"$scratch/page.md"
  "$SOURCE/scripts/doc-commands" --programs "$PROGRAMS" "$@" "$scratch/page.md" >"$scratch/out" 2>&1
  got=$?
  if [ "$got" -ne "$code" ] || ! grep -qF -- "$text" "$scratch/out"; then
    echo "FAIL: exit $got where $code was due, or no \"$text\":"
    cat "$scratch/page.md" "$scratch/out"
    failures=$((failures + 1))
  fi
}

expect 0 "1 commands" <<'END'
<!-- run -->
```sh
test -f scenarios/requirements.xml
```
END
expect 0 "1 commands" <<'END'
<!-- run: exit 3 -->
<!-- shows: two -->
```sh
echo one two
exit 3
```
END
expect 1 'page.md:4: exit code 1, where the document says 0' <<'END'
# A wrong exit code

<!-- run -->
```sh
false
```
END
expect 1 'page.md:2: exit code 0, where the document says 1' <<'END'
<!-- run: exit 1 -->
```sh
true
```
END
expect 1 'page.md:2: exit code 1, where the document says 0' <<'END'
<!-- run -->
```sh
false
true
```
END
expect 1 'page.md:3: the output does not show "three"' <<'END'
<!-- run -->
<!-- shows: three -->
```sh
echo one two
```
END
expect 1 'page.md:1: no command to run' <<'END'
# Words only
END
expect 1 'page.md:1: an sh block with no comment above it' <<'END'
```sh
true
```
END
expect 1 'page.md:1: a comment with no block directly below it' <<'END'
<!-- run -->

```text
true
```
END
expect 1 '"exti 1" in its comment; allowed: exit N' <<'END'
<!-- run: exti 1 -->
```sh
true
```
END
# A file that the document shows, and the output it promises, with a gap.
page='<!-- file: folder/words -->
```text
one
two
three 33
four
```
<!-- run -->
```sh
cat folder/words
```
<!-- output -->
```text
one
…
three …
%s
```
'
printf "$page" four | expect 0 "1 commands"
printf "$page" five | expect 1 'page.md:13: the output of line 9 does not show, or not in this order: "five"'
printf "$page" two | expect 1 'page.md:13: the output of line 9 does not show, or not in this order: "two"'
# A server that goes on running is there for what follows, and ended with the document.
expect 0 "2 commands" <<END
<!-- run: until ready -->
\`\`\`sh
mkfifo pipe
echo \$\$ >$scratch/server
echo ready
cat pipe >heard
\`\`\`
<!-- run -->
\`\`\`sh
kill -0 "\$(cat $scratch/server)"
\`\`\`
END
! kill -0 "$(cat "$scratch/server")" 2>/dev/null || { echo "FAIL: the server still runs"; failures=$((failures + 1)); }
expect 1 'page.md:2: ended without showing "ready"' <<'END'
<!-- run: until ready -->
```sh
echo steady
```
END
# A tool that is missing is a counted skip, and a failure in CI.
page='<!-- run -->
```sh
true
```
<!-- run: needs no-such-tool -->
```sh
no-such-tool
```
'
printf "$page" | expect 0 "1 commands as it says; 1 of another kind"
printf "$page" | CI=false expect 77 "1 tools missing" --needs
printf "$page" | CI=true expect 1 "page.md:6: needs no-such-tool" --needs
printf "$page" | expect 1 "none of its 2 commands" --slow
# What is slow runs in the checkout itself, and only when it is asked for.
expect 0 "1 commands as it says; 1 of another kind" --slow <<'END'
<!-- run: slow -->
```sh
test -f CMakeLists.txt
```
<!-- run -->
```sh
false
```
END
# root is no program: who may not be root is not.
[ "$(id -u)" -eq 0 ] && root=0 || root=77
CI=false expect "$root" "" --needs <<'END'
<!-- run: needs root -->
```sh
true
```
END
[ "$failures" -eq 0 ] && echo "all as expected"
exit "$((failures > 0))"
