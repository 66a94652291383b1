#!/usr/bin/env bash
# Tries the Windows setup under Wine: silent install, demo to a verified bundle, window, silent removal.
# As root: check.sh SETUP.exe (made with build.py --trial). Needs debootstrap, Xvfb and ImageMagick here; the pictures go
# to build/windows/. Wine 10 of Debian 13 in a folder of its own: Debian 12's Wine 8 ends Qt.
# What Wine cannot show, and only a real Windows can: SmartScreen, AppLocker, virus scanners, the MSI in a domain.
set -euo pipefail
setup=$(realpath "$1")
cd "$(dirname "$0")/../.."
root=build/chroots/trixie-wine
shots=build/windows
screen=:95
mkdir -p build/chroots "$shots"

if [ ! -L "$root/usr/bin/wine" ]; then # a link that leads elsewhere from outside
  debootstrap --variant=minbase trixie "$root" "${MIRROR:-http://deb.debian.org/debian}"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  chroot "$root" apt-get update -qq
  chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wine wine64 fonts-dejavu-core
  chroot "$root" useradd --create-home --uid 1000 ada
fi
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/dev" || mount --bind /dev "$root/dev"
mkdir -p "$root/tmp/.X11-unix"
Xvfb $screen -screen 0 1366x900x24 -ac >/dev/null 2>&1 &
server=$!
sleep 2
mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"

wine() { chroot --userspec=1000:1000 "$root" env -i HOME=/home/ada USER=ada PATH=/usr/bin:/bin LANG=C.UTF-8 \
  DISPLAY=$screen WINEDEBUG=-all sh -c 'cd && exec "$@"' - "$@"; }
finish() {
  wine wineserver -k 2>/dev/null || :
  kill $server 2>/dev/null || :
  for place in tmp/.X11-unix dev proc; do
    ! mountpoint -q "$root/$place" || umount -l "$root/$place"
  done
}
trap finish EXIT

step() { printf '\n== %s\n' "$1"; }
installed='C:\users\ada\AppData\Local\Programs\Consign'
inside=$root/home/ada/.wine/drive_c/users/ada/AppData/Local/Programs/Consign

step "A new Windows, and a silent installation"
rm -rf "$root/home/ada/.wine" "$root/home/ada/demo"
wine wineboot --init >/dev/null 2>&1
wine wineserver --wait
cp "$setup" "$root/home/ada/setup.exe"
wine wine setup.exe /S
[ -e "$inside/consign.exe" ]
du -sm "$inside"
(cd "$inside" && find . -type f | sort) >"$shots/before.txt"

step "The demo"
wine wine "$installed\\consign-cli.exe" --version
wine wine "$installed\\consign-cli.exe" demo demo
wine wine "$installed\\consign-cli.exe" run 'demo\Demo-1\PACS export' --project 'demo\Demo-1\demo-1' --out 'demo\bundle' \
  --site DEMO --unattended --workers 2
wine wine "$installed\\consign-cli.exe" verify 'demo\bundle'
(cd "$inside" && find . -type f | sort) | diff "$shots/before.txt" - && echo "nothing was written beside the program"

step "The window"
wine wine "$installed\\consign.exe" &
sleep 45
import -display $screen -window root "$shots/window.png"
[ "$(identify -format %k "$shots/window.png")" -gt 50 ] || { echo "nothing is drawn" >&2; exit 1; }
wine wineserver -k
sleep 2

step "A silent removal"
wine wine "$installed\\uninstall.exe" /S '_?='"$installed"
wine wineserver --wait
find "$inside" -type f 2>/dev/null | grep -v uninstall.exe && { echo "left behind" >&2; exit 1; }
wine wine reg query 'HKCU\Software\Classes\.consign' >/dev/null 2>&1 && { echo "file type left behind" >&2; exit 1; }
printf '\nInstalled, used to a verified bundle, shown, and removed.\n'
