#!/usr/bin/env bash
# Every element that a story may have, and every attribute of its own, stands in a story of
# docs/writing-scenarios.md that a command there runs. What there is tells docs/scenario-reference.md, which is
# made from the vocabulary. Left out are settings, and `when`, which everything has.
set -euo pipefail
: "${SOURCE:?}"
page=${PAGE:-$SOURCE/docs/writing-scenarios.md}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# known: "ELEMENT" and "ELEMENT ATTRIBUTE", from the part of the reference that is about stories.
awk '
  /^## / { part = ($0 ~ /<story>/ || $0 ~ /<prefixes>/) }
  /^## Settings/ { settings = 1; next }
  /^##/ { if (!/^## Settings/) settings = 0 }
  settings && /^\| `/ { split($0, cell, "`"); is_setting[cell[2]] = 1 }
  !part { next }
  /^##/ { split($0, cell, /[<>]/); element = cell[2]; print element; next }
  /^\| `/ { split($0, cell, "`"); if (cell[2] != "when" && !(cell[2] in is_setting)) print element, cell[2] }
' "$SOURCE/docs/scenario-reference.md" | sort -u >"$scratch/known"

# shown: the same, from the blocks of the page whose story a later command runs by its name.
awk -v scratch="$scratch" '
  /^<!-- file: scenarios\/stories\/.*\.xml -->/ {
    name = $3; sub(/.*\//, "", name); sub(/\.xml$/, "", name); kind = "story"; next }
  /^<!-- run/ { kind = ($0 ~ /exit|slow|needs/) ? "" : "run"; next }
  /^<!-- / && !/^<!-- shows/ { kind = ""; next }
  /^```$/ { if (kind != "" && inside) kind = ""; inside = 0; next }
  /^```/ { inside = 1; if (kind == "story") text[name] = ""; next }
  !inside { next }
  kind == "story" { text[name] = text[name] $0 "\n" }
  kind == "run" { goes_on = sub(/\\$/, ""); commands = commands " " $0 (goes_on ? " " : " ;") }
  END {
    for (name in text) {
      pattern = name; gsub(/\./, "[.]", pattern)
      if (text[name] ~ /<prefixes>/ || commands ~ (" run ([^&|;]*[ /])?" pattern " ")) printf "%s", text[name]
    }
  }' "$page" | tr '\n' ' ' | sed 's/<!--[^>]*-->//g' | grep -oE '<[a-z][^>]*>' |
  awk '{
    line = $0; match(line, /^<[a-z-]+/); element = substr(line, 2, RLENGTH - 1); print element
    while (match(line, / [a-z-]+="[^"]*"/)) {
      split(substr(line, RSTART + 1, RLENGTH), part, "="); print element, part[1]
      line = substr(line, RSTART + RLENGTH)
    }
  }' | sort -u >"$scratch/shown"

[ "$(wc -l <"$scratch/known")" -gt 60 ] || { echo "no elements of stories were found in the reference"; exit 1; }
missing=$(comm -23 "$scratch/known" "$scratch/shown")
[ -z "$missing" ] || {
  echo "in no story of $page that is run (element, attribute):"
  sed 's/^/  /' <<<"$missing"
  exit 1
}
echo "$(wc -l <"$scratch/known") elements and attributes, each in a story that is run"
