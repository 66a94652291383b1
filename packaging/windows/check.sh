#!/usr/bin/env bash
# Tries the setup and the MSI under Wine: silent install, demo to a verified bundle, window, silent removal.
# As root: check.sh VERSION, after build.py --trial. Needs debootstrap, Xvfb and ImageMagick here; the pictures go to
# build/windows/. Wine 10 of Debian 13 in a folder of its own: Debian 12's Wine 8 ends Qt.
# What Wine cannot show, and only a real Windows can: SmartScreen, AppLocker, virus scanners, the MSI in a domain.
set -euo pipefail
cd "$(dirname "$0")/../.."
trial=dist/consign-$1-windows-x64-trial
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

# Without a network interface, the whole of Windows.
wine() { unshare --net chroot --userspec=1000:1000 "$root" env -i HOME=/home/ada USER=ada PATH=/usr/bin:/bin LANG=C.UTF-8 \
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
drive=$root/home/ada/.wine/drive_c

# What is where it was installed: only that, after all of it was used.
files_in() { (cd "$1" && find . -type f | sort); }

demo() { # PROGRAM, as Windows names it, PROJECT [OPTIONS]
  local program=$1 project=$2
  shift 2
  wine wine "$program" run 'demo\Demo-1\PACS export' --project "demo\\$project" --out "demo\\$project-bundle" \
    --site DEMO --unattended --workers 2 "$@" 2>&1 | grep -E 'Bundle|rror'
  wine wine "$program" verify "demo\\$project-bundle"
}

colours() { import -display $screen -window root -format %k info: 2>/dev/null || echo 0; }

window() { # PICTURE PROGRAM
  local started
  started=$(date +%s%N)
  wine wine "$2" &
  until [ "$(colours)" -gt 50 ]; do
    [ $((($(date +%s%N) - started) / 1000000000)) -lt 120 ] || { echo "nothing is drawn" >&2; exit 1; }
    sleep 0.2
  done
  echo "drawn after $((($(date +%s%N) - started) / 1000000)) ms"
  sleep 20
  import -display $screen -window root "$shots/$1"
  [ "$(colours)" -gt 50 ] || { echo "the window is gone" >&2; exit 1; }
  wine wineserver -k
  sleep 2
}

# A program's folder is gone, and what it told Windows of itself.
gone() { # FOLDER REGISTRY
  [ ! -e "$1" ] || { find "$1" >&2; echo "left behind" >&2; exit 1; }
  ! wine wine reg query "$2\\Software\\Classes\\.consign" >/dev/null 2>&1 || { echo "file type left behind" >&2; exit 1; }
  [ -z "$(find "$drive" -name 'Consign*.lnk')" ] || { echo "shortcut left behind" >&2; exit 1; }
}

step "A new Windows, and the setup, silently"
rm -rf "$root/home/ada/.wine" "$root/home/ada/demo"
wine wineboot --init >/dev/null 2>&1
wine wineserver --wait
cp "$trial.exe" "$root/home/ada/setup.exe"
cp "$trial.msi" "$root/home/ada/consign.msi"
sed 's/"ppocr", "glyphs"/"ppocr", "glyphs", "tesseract"/' resources/defaults/protocol.toml >"$root/home/ada/tesseract.toml"
grep -q tesseract "$root/home/ada/tesseract.toml"
wine wine setup.exe /S
installed='C:\users\ada\AppData\Local\Programs\Consign'
inside=$drive/users/ada/AppData/Local/Programs/Consign
[ -e "$inside/consign.exe" ]
du -sm "$inside"
files_in "$inside" >"$shots/before.txt"

step "The demo"
wine wine "$installed\\consign-cli.exe" --version
wine wine "$installed\\consign-cli.exe" demo demo
demo "$installed\\consign-cli.exe" 'Demo-1\demo-1'
files_in "$inside" | diff "$shots/before.txt" - && echo "nothing was written beside the program"

step "The demo with Tesseract, from a folder whose name is in no code page"
cp -r "$inside" "$drive/Büro 木"
demo 'C:\Büro 木\consign-cli.exe' tesseract --protocol tesseract.toml
rm -r "$drive/Büro 木"

step "The window"
window setup.png "$installed\\consign.exe"

step "Its removal, silently"
wine wine "$installed\\uninstall.exe" /S
for _ in $(seq 60); do # it goes on from a copy of itself
  [ -e "$inside" ] || break
  sleep 1
done
wine wineserver --wait
gone "$inside" HKCU

step "The MSI, silently, for all users"
wine wine msiexec /i consign.msi /qn
installed='C:\Program Files\Consign'
inside="$drive/Program Files/Consign"
files_in "$inside" | diff <(grep -v uninstall.exe "$shots/before.txt") - && echo "the same files"
[ -n "$(find "$drive" -name 'Consign*.lnk')" ] || { echo "no shortcut" >&2; exit 1; }
wine wine reg query 'HKLM\Software\Classes\.consign' >/dev/null
demo "$installed\\consign-cli.exe" msi
window msi.png "$installed\\consign.exe"
wine wine msiexec /x consign.msi /qn
wine wineserver --wait
gone "$inside" HKLM
printf '\nBoth were installed, used to a verified bundle, shown, and removed.\n'
