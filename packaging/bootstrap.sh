#!/usr/bin/env bash
# Makes the virtual environment of a checkout: bootstrap.sh FOLDER
# Starts from a Debian 12 that has Python 3.11 and nothing else; where it may not install what is missing, it says what.
set -euo pipefail

venv=$1
cd "$(dirname "$0")/.."

fail() {
  printf '\nConsign cannot be set up: %s\n' "$1" >&2
  exit 1
}

# RapidOCR has no package for Python 3.13.
find_python() {
  local candidate
  for candidate in python3.11 python3 python3.12; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# The Debian packages of which something is missing: what makes a virtual environment (Debian splits ensurepip off: without
# it "import venv" works, and making one fails), and what Qt and OpenCV load (a Debian without a desktop lacks it; many
# desktops lack libxcb-cursor0).
needed() {
  "$python" - <<'END'
import ctypes
import importlib.util
import sys

LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}
if importlib.util.find_spec("ensurepip") is None:
    print("python%d.%d-venv" % sys.version_info[:2])
for library, package in LIBRARIES.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
END
}

# Programs that the tests compare or look with; what needs them skips, and says so.
wished() {
  local pair
  for pair in dciodvfy=dicom3tools dcmj2pnm=dcmtk gdcmconv=libgdcm-tools strace=strace; do
    command -v "${pair%%=*}" >/dev/null || printf '%s\n' "${pair##*=}"
  done
}

# Asks nobody: root installs, sudo only where it needs no password.
may_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}

apt_install() {
  local root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo -n)
  printf 'Installing the Debian packages %s ...\n' "$*"
  "${root[@]}" apt-get update -qq &&
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Of pip's words those that tell how far it is: what is large, and that all is there.
progress() {
  sed -nu -e 's/^ *\(Downloading\|Using cached\) \(.*\/\)\?\([A-Za-z0-9_.]*\)-.* (\([0-9]\{2,\}\)\.[0-9]* MB).*/  \3, \4 MB/p' \
    -e 's/^Installing collected packages: .*/  All are here; unpacking them .../p'
}

python=$(find_python) || fail "it needs Python 3.11 or 3.12 (python3 of Debian 12)."

mapfile -t packages < <(needed)
mapfile -t optional < <(wished)
if [ "${#packages[@]}" -gt 0 ] && ! { may_install && apt_install "${packages[@]}"; }; then
  fail "Debian packages are missing that could not be installed from here. An administrator installs them with
  apt-get install ${packages[*]}
and, for the tests that need other programs, ${optional[*]:-nothing else}."
fi
if [ "${#optional[@]}" -gt 0 ] && ! { may_install && apt_install "${optional[@]}"; }; then
  printf 'Not installed here, so that the tests that need them are skipped: %s.\n' "${optional[*]}"
fi

# What was never finished is begun anew: an interrupted pip can leave packages that look whole.
if [ ! -e "$venv/.installed" ] || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
  "$python" -m venv --clear "$venv" || fail "no virtual environment could be made in $venv (is the disk full, or read-only?)."
fi
printf 'Installing the Python packages into %s (1.4 GB; some minutes the first time) ...\n' "$venv"
"$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off --use-pep517 --editable '.[test]' | progress ||
  fail "pip could not fetch or install the Python packages (its reason is above). It needs a connection to PyPI, or a mirror named in PIP_INDEX_URL."
# The way to the checkout as a relative one: under LC_ALL=C Python 3.11 does not start over a folder named Müller there.
for way in "$venv"/lib/python3.*/site-packages/*consign*.pth; do
  [ ! -e "$way" ] || printf '%s\n' "$(realpath --relative-to="$(dirname "$way")" .)" >"$way"
done
touch "$venv/.installed"
