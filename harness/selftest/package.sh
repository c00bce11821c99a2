#!/usr/bin/env bash
# The Debian package, unpacked into a clean root: its postern finds its scenarios and runs the whole matrix in an
# empty folder; its unit is in order and gives little away; what shells and man want is in its place.
. "$(dirname "$0")/lib.sh"
: "${BUILD:?}"
for tool in cpack dpkg-deb dpkg-shlibdeps systemd-analyze; do
  command -v "$tool" >/dev/null || cannot_run "$tool is not installed (packages cmake, dpkg, dpkg-dev, systemd)"
done
unset POSTERN_SCENARIOS POSTERN_MTAS

mkdir "$scratch/made" "$scratch/empty"
cd "$scratch/made"
expect 0 "" cpack -G DEB --config "$BUILD/CPackConfig.cmake"
package=$(echo postern_*_*.deb)
[ -f "$package" ] || { fail "cpack makes one package"; finish; }
root=$scratch/root
dpkg-deb -x "$package" "$root"
postern=$root/usr/bin/postern gateway=$root/usr/bin/postern-gateway
expect 0 "${package#postern_}" echo "$("$postern" --version | sed 's/postern //')_$(dpkg --print-architecture).deb"
for needed in libc6 libssl3 libsqlite3-0 libboost-json; do
  dpkg-deb -f "$package" Depends | grep -q "$needed" || fail "it depends on $needed"
done
if grep -qF -e "$SOURCE/scenarios" -e "$BUILD" "$postern" "$gateway"; then fail "the programs look nowhere in the checkout"; fi

# The scenarios are those of the package: an empty folder, and without them there is nothing to run.
cd "$scratch/empty"
expect 0 "can be run: " "$postern" gateways
expect 0 "11,064 cases: 11,064 pass" "$postern" run tls-modes client-certificates server-certificates --quiet
expect 0 "1 case: 1 pass" "$postern" run stories/mail-before-starttls-is-forgotten --quiet
expect 0 "" "$postern" certs "$scratch/pki"
expect 0 "not found; in a checkout of Postern scripts/mtas exim unpacks it; with POSTERN_MTAS=CHECKOUT/build/mtas it is found" \
  env PATH=/nowhere "$postern" gateways
[ -z "$(ls -A)" ] || fail "a run leaves nothing behind: $(ls -A)"
diff -r "$SOURCE/scenarios" "$root/usr/share/postern/scenarios" >"$scratch/out" ||
  fail "the package has the scenarios: $(cat "$scratch/out")"
mv "$root/usr/share/postern" "$scratch/aside"
expect 2 "$root/usr/share/postern/scenarios" "$postern" check
mv "$scratch/aside" "$root/usr/share/postern"

# cmake --install makes the same, in any folder.
expect 0 "" cmake --install "$BUILD" --prefix "$scratch/local"
expect 0 "11056 matrix cases" "$scratch/local/bin/postern" check
(cd "$root/usr" && find . -type f | sort) >"$scratch/packed"
(cd "$scratch/local" && find . -type f | sort) >"$scratch/installed"
cmp -s "$scratch/packed" "$scratch/installed" || fail "both hold the same: $(diff "$scratch/packed" "$scratch/installed")"

# What terminals look for.
share=$root/usr/share
zcat "$share/man/man1/postern.1.gz" | cmp -s - <("$postern" help --format man) || fail "the page is that of this program"
zcat "$share/man/man8/postern-gateway.8.gz" | grep -q '^\.TH POSTERN' || fail "the gateway has its page"
cmp -s "$share/bash-completion/completions/postern" <("$postern" help --format bash) || fail "bash completes this program"
cmp -s "$share/zsh/vendor-completions/_postern" <("$postern" help --format zsh) || fail "zsh completes this program"

# The unit, with the programs where they are here; and how much it exposes, from 0 to 10.
mkdir "$scratch/units"
unit=$scratch/units/postern-gateway.service
sed -e "s|^ExecStart=postern-gateway |ExecStart=$gateway |" -e '/^Documentation=/d' \
  "$root/usr/lib/systemd/system/postern-gateway.service" >"$unit"
expect 0 "" systemd-analyze verify "$unit"
[ ! -s "$scratch/out" ] || fail "systemd has nothing to say about the unit: $(cat "$scratch/out")"
expect 0 "Overall exposure level" systemd-analyze security --offline=true --threshold=20 --no-pager "$unit"

# The configuration to begin with is one that the gateway takes.
sed -e "s|/etc/postern/certificate.pem|$scratch/pki/gateway.pem|" \
  -e "s|/run/credentials/postern-gateway.service/key.pem|$scratch/pki/gateway.key|" \
  -e "s|/var/lib/postern-gateway|$scratch/queue|" "$share/doc/postern/examples/gateway.xml" >"$scratch/gateway.xml"
grep -q "$scratch/pki/gateway.key" "$scratch/gateway.xml" || fail "the example has the key that the unit hands over"
expect 0 "" "$gateway" --check "$scratch/gateway.xml"

finish
