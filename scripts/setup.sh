# Sourced by the scripts beside it: installs what is missing and builds.
#
#   postern_setup PRESET [TARGET…]  packages, then configure and build build/ or build-PRESET/, all of it by default
#   postern_need PACKAGE…  installs further Debian packages; false if that is not possible
#
# Asks nothing. Where nothing is missing it takes no time.

set -euo pipefail
postern_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

postern_packages=(
  g++ cmake ninja-build ccache pkg-config
  libboost1.81-dev libboost-json1.81-dev libboost-filesystem1.81-dev libboost-system1.81-dev
  libssl-dev libpugixml-dev libxml2-dev libfmt-dev libspdlog-dev libcli11-dev libsqlite3-dev zlib1g-dev libzip-dev
  libre2-dev libkainjow-mustache-dev libgtest-dev libgmock-dev util-linux ca-certificates
)

postern_missing() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

postern_need() {
  local missing as_root=()
  mapfile -t missing < <(postern_missing "$@")
  [ ${#missing[@]} -eq 0 ] && return 0
  if ! command -v apt-get >/dev/null; then
    echo "postern: needs ${missing[*]}; this script can install them only with apt-get (Debian 12)" >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "postern: needs ${missing[*]}; install them as root, or install sudo" >&2
      return 1
    fi
    as_root=(sudo -n)
  fi
  echo "postern: installing ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq >&2 || true
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

postern_build_dir() {
  if [ "$1" = release ]; then echo "$postern_root/build"; else echo "$postern_root/build-$1"; fi
}

postern_setup() {
  local preset=$1 dir target=()
  dir=$(postern_build_dir "$preset")
  shift
  [ $# -eq 0 ] || target=(--target "$@")
  postern_need "${postern_packages[@]}"
  cd "$postern_root"
  local log
  log=$(mktemp)
  # Quiet where all goes well, whole where it does not.
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  if [ -t 2 ]; then
    cmake --build "$dir" ${target[@]+"${target[@]}"} >&2
  else
    cmake --build "$dir" ${target[@]+"${target[@]}"} -- --quiet >&2
  fi
}
