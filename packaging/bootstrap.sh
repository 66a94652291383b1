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

# Debian packages, by name. Asks nobody: root installs, sudo only where it needs no password.
install_system_packages() {
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || return 1
    root=(sudo -n)
  fi
  command -v apt-get >/dev/null || return 1
  "${root[@]}" apt-get update -qq &&
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
  local candidate
  for candidate in python3.11 python3 python3.13 python3.12; do
    if command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

python=$(find_python) || fail "it needs Python 3.11 or later (Debian package python3)."

# Debian splits venv's pip off into a package of its own: without it "import venv" works, and making one fails.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  printf 'Installing the Debian package %s ...\n' "$package"
  install_system_packages "$package" ||
    fail "the Debian package $package is missing and could not be installed from here. Ask an administrator for: apt-get install $package"
fi

# What Qt and OpenCV load: a Debian without a desktop lacks it.
missing=()
for pair in libGL.so.1=libgl1 libEGL.so.1=libegl1 libxkbcommon.so.0=libxkbcommon0 libfontconfig.so.1=libfontconfig1 \
  libdbus-1.so.3=libdbus-1-3 libglib-2.0.so.0=libglib2.0-0; do
  find /lib /usr/lib /usr/local/lib -name "${pair%%=*}" 2>/dev/null | grep -q . || missing+=("${pair##*=}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  printf 'Installing the Debian packages %s ...\n' "${missing[*]}"
  install_system_packages "${missing[@]}" ||
    fail "these Debian packages are missing and could not be installed from here. Ask an administrator for: apt-get install ${missing[*]}"
fi

# Programs that the tests compare with; what needs them skips, and says so.
for pair in dciodvfy=dicom3tools dcmj2pnm=dcmtk; do
  command -v "${pair%%=*}" >/dev/null && continue
  printf 'Installing the Debian package %s (optional) ...\n' "${pair##*=}"
  install_system_packages "${pair##*=}" ||
    printf 'Without the Debian package %s the tests that use %s are skipped.\n' "${pair##*=}" "${pair%%=*}"
done

printf 'Installing the Python packages into %s (a minute or two the first time) ...\n' "$venv"
if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  "$python" -m venv --clear "$venv" || fail "no virtual environment could be made in $venv (is the disk full, or read-only?)."
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test]' ||
  fail "pip could not fetch or install the Python packages (its reason is above). It needs a connection to PyPI, or a mirror named in PIP_INDEX_URL."
