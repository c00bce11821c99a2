#!/usr/bin/env bash
# The bundle of a failing case: complete, for its owner alone, and its capture read by tshark, which decrypts it.
. "$(dirname "$0")/lib.sh"
for program in tshark unzip; do
  command -v "$program" >/dev/null || cannot_run "$program is not installed"
done
own_scenarios
edit "$scenarios/gateways/reference.xml" 's/\$\{client-level\} clear/client-level="attempt" clear/'
cd "$scratch/copy" || exit 1
mode=server-level=attempt/client-certificate=none/client-level=verify

# decrypted CAPTURE FILTER TEXT: tshark shows TEXT in the packets that FILTER chooses.
decrypted() {
  tshark -r "$1" -Y "$2" >"$scratch/packets" 2>"$scratch/tshark" || fail "tshark does not read $1: $(tail -n 1 "$scratch/tshark")"
  grep -qF -- "$3" "$scratch/packets" || { fail "no \"$3\" among the packets of $2"; tshark -r "$1"; }
}

expect 1 "Bundles: failing (4 cases)" "$POSTERN" run tls-modes/$mode --bundle failing \
  --filter "client=starttls|starttls-1.2 server=expired|wrong-host|good"
folder="failing/tls-modes_${mode//\//_}_client=starttls_server=expired"
for file in about.txt case.txt case.jsonl traffic.pcapng gateway.txt; do
  [ -s "$folder/$file" ] || fail "$folder has no $file"
done
[ "$(stat -c %a failing "$folder" "$folder/traffic.pcapng" | paste -sd' ')" = "700 700 600" ] || fail "the bundle is open to others"
! grep -rlE 'PRIVATE KEY' failing || fail "a private key is in a bundle"
expect 1 "Postern: FAILED" "$POSTERN" report "$folder/case.jsonl" --html "$scratch/case.html" --markdown /dev/stdout
# Both legs, decrypted: what went inside TLS 1.3 and 1.2.
decrypted "$folder/traffic.pcapng" 'tls && smtp.req.command == "MAIL"' "MAIL FROM:<sentinel"
[ "$(wc -l <"$scratch/packets")" -eq 2 ] || fail "MAIL is not in both legs: $(cat "$scratch/packets")"
decrypted "${folder/client=starttls_/client=starttls-1.2_}/traffic.pcapng" \
  'tls.record.version == 0x0303 && tcp.dstport == 25 && smtp.req.command == "QUIT"' QUIT
tshark -r "$folder/traffic.pcapng" -Y 'tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.flags' \
  -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE 2>/dev/null | grep . && fail "tshark finds fault with the packets"

# All cases, packed. What an earlier run wrote is replaced, anything else stays.
expect 1 "Bundles: all.zip (6 cases)" "$POSTERN" run tls-modes/$mode --bundle all.zip --bundle-of all \
  --filter "client=starttls|starttls-1.2 server=expired|wrong-host|good"
[ "$(stat -c %a all.zip)" = 600 ] || fail "the archive is open to others"
[ "$(unzip -l all.zip | grep -c traffic.pcapng)" -eq 6 ] || fail "the archive has not six captures"
expect 1 "Bundles: all.zip (4 cases)" "$POSTERN" run tls-modes/$mode --bundle all.zip --filter "client=starttls|starttls-1.2 server=expired|wrong-host|good"
[ "$(unzip -l all.zip | grep -c traffic.pcapng)" -eq 4 ] || fail "the archive has captures of an earlier run"
expect 1 "Bundles: failing (1 case)" "$POSTERN" run tls-modes/$mode --bundle failing --filter "client=starttls server=wrong-host"
[ ! -e "$folder" ] || fail "the bundle of an earlier run is left"
for there in some.zip some; do
  [ "$there" = some.zip ] && cp "$SOURCE/README.md" some.zip || mkdir -p some/thing
  expect 2 "$there is there already, and holds no bundles; name another; nothing was run" "$POSTERN" run tls-modes/$mode --bundle "$there"
done
ln -s failing link
expect 2 "link is there already" "$POSTERN" run tls-modes/$mode --bundle link
[ -s some.zip ] && [ -d some/thing ] && [ -d failing ] || fail "what was refused is not as it was"
expect 0 "" "$POSTERN" run tls-modes/$mode --filter "client=starttls server=good" --bundle none
[ ! -e none ] || fail "a run without failures leaves an empty folder"
[ -z "$(ls -d all.zip.* 2>/dev/null)" ] || fail "the folder that was packed is left behind"
expect 1 "Bundles: slashed (1 case)" "$POSTERN" run tls-modes/$mode --bundle slashed// --filter "client=starttls server=expired"
# Settings that have to be rejected and were not: the bundle has what was accepted.
edit "$scenarios/gateways/reference.xml" 's/ \$\{client-certificate\} / client-certificate="none" /'
expect 1 "Bundles: invalid" "$POSTERN" run tls-modes/invalid --bundle invalid
grep -rq 'client-certificate="none"' invalid/*/gateway.txt || fail "the bundle has not the configuration that was accepted"
! grep -rq "No gateway came up" invalid || fail "a gateway that came up is said not to have"
finish
