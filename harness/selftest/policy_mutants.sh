#!/usr/bin/env bash
# The mutants of the gateway's policy: each differs in one place and compiles, no two are alike, and of every
# comparison, && and || in the source there is one. What catches them shows scripts/faults.
. "$(dirname "$0")/lib.sh"
: "${COMPILE_COMMANDS:?}"
cd "$SOURCE"
source=gateway/policy.cpp
mutants=$scratch/mutants
scripts/policy-mutants "$mutants" >/dev/null || fail "no mutants were written"

# Operators in the source; each has to be missing, or another, in exactly one mutant.
operators=$(sed -e 's/"[^"]*"//g' -e 's|//.*||' "$source" | grep -v '^[A-Za-z]' | grep -oE '==|!=|>=|<=|&&|\|\|' | wc -l)
changed=0
read -r -a compiler < <(sed -n "s/^  \"command\": \"\(.*\) -o .*policy\.cpp\.o -c .*policy\.cpp\",\{0,1\}$/\1/p" "$COMPILE_COMMANDS" | head -n 1 |
  sed 's| -D[^ ]*\\"[^ ]*||g; s| -Winvalid-pch -include [^ ]*||')
[ ${#compiler[@]} -gt 0 ] || fail "$COMPILE_COMMANDS does not say how $source is compiled"
# This header is read once, not a hundred times; the precompiled one of the build goes with the -D that are left out.
mkdir "$scratch/header"
"${compiler[@]}" -Wno-error -w -x c++-header gateway/policy.hpp -o "$scratch/header/policy.hpp.gch" || fail "the header does not compile"

# check NAME: one mutant, in its own folder since they are compiled side by side.
check() {
  local tree=$scratch/$1 text
  mkdir -p "$tree/gateway"
  cp "$source" "$tree/gateway/"
  patch -s -p1 -d "$tree" <"$mutants/$1.patch" || { echo "$1 does not apply"; return; }
  text=$(diff "$source" "$tree/$source")
  [ "$(grep -c '^[<>]' <<<"$text")" -eq 2 ] || { echo "$1 changes other than one line"; return; }
  "${compiler[0]}" -I "$scratch/header" "${compiler[@]:1}" -Wno-parentheses -fsyntax-only "$tree/$source" 2>"$tree/errors" ||
    { echo "$1 does not compile"; cat "$tree/errors"; }
}
names=$(cd "$mutants" && ls ./*.patch | sed 's|^\./||; s|\.patch$||')
for name in $names; do
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
  check "$name" >"$scratch/said.$name" &
done
wait
cat "$scratch"/said.* >"$scratch/said"
[ ! -s "$scratch/said" ] || { fail "mutants that are none:"; cat "$scratch/said"; }

for name in $names; do
  changed=$((changed + $(diff <(grep -oE '==|!=|>=|<=|[<>]|&&|\|\|' "$source") \
    <(grep -oE '==|!=|>=|<=|[<>]|&&|\|\|' "$scratch/$name/$source") >/dev/null && echo 0 || echo 1)))
done
[ "$changed" -eq "$operators" ] || fail "$operators operators, and $changed mutants that change one"
[ -z "$(sha256sum "$scratch"/policy.*/"$source" | cut -d' ' -f1 | sort | uniq -d)" ] || fail "two mutants are alike"

# The operands that stand bare in a chain, too.
for operand in falling_back must_verify refused code delay starttls_offered ticket.certificate_verified \
  ticket.certificate_still_valid ticket.same_scope ticket.in_time 'cause.empty()'; do
  grep -qE "^[+].*($(sed 's/[.()]/\\&/g' <<<"!$operand"))([^a-z_.]|$)|^-.*!$(sed 's/[.()]/\\&/g' <<<"$operand")" "$mutants"/*.patch ||
    fail "no mutant negates $operand"
done

# Those that are excused are those that are meant.
is() { grep -qxF "What: $2" "$mutants/policy.$1.patch" || fail "policy.$1 is another mutant"; }
is after_tls_failure.1 'after_tls_failure, decision 1: return {SendingStep::hold, {}, "4.7.5", "TLS failed"};'
is may_resume.1 'may_resume, decision 1: if (!offers_starttls(policy, false) && !ticket.same_scope || !ticket.in_time) return false;'
is may_resume.2 'may_resume, decision 2: if (!offers_starttls(policy, false) || !ticket.same_scope && !ticket.in_time) return false;'
is rule_in_clear.12 'rule_in_clear, decision 12: case Verb::unknown:return {};'
[ "$(grep -c "^policy\." harness/selftest/faults/equivalent.txt)" -eq 4 ] || fail "an excuse is not held to its mutant here"
finish
