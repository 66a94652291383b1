#!/usr/bin/env bash
# Tries both installers in a bare Debian, as a user would: install, window, demo to a verified bundle, removal.
# As root: check.sh VERSION. Needs debootstrap, Xvfb and ImageMagick here; pictures go to build/linux/*.png.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$1
suite=${SUITE:-bookworm}
bare=build/chroots/$suite
root=build/chroots/try
shots=build/linux
mkdir -p build/chroots "$shots"

step() { printf '\n== %s\n' "$1"; }
inside() { chroot "$root" "$@"; }
user=(chroot --userspec=1000:1000 "$root" env -i HOME=/home/ada USER=ada PATH=/usr/bin:/bin LANG=C.UTF-8)
as_user() { "${user[@]}" "$@"; }

[ -e "$bare/etc/debian_version" ] || debootstrap --variant=minbase "$suite" "$bare" "${MIRROR:-http://deb.debian.org/debian}"

new_root() {
  close_root
  cp -a "$bare" "$root"
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  inside useradd --create-home --uid 1000 ada
}
close_root() {
  [ -d "$root" ] || return 0
  for place in tmp/.X11-unix dev proc; do
    ! mountpoint -q "$root/$place" || umount "$root/$place"
  done
  rm -rf --one-file-system "$root"
}

# The window of a program inside, on a screen of ours: how long until it is drawn, from the disk and from memory; a
# picture of it; whether it is still there.
window() { # PICTURE PROGRAM [ARGUMENTS]
  local picture=$1 screen=:94 server shown disk started
  shift
  Xvfb $screen -screen 0 1366x900x24 -ac >/dev/null 2>&1 &
  server=$!
  sleep 2
  mkdir -p "$root/tmp/.X11-unix"
  mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"
  for disk in new warm; do
    started=$(date +%s%N)
    "${user[@]}" DISPLAY=$screen "$@" & # no function: it is the program itself that is ended below
    shown=$!
    until is_drawn $screen; do
      kill -0 $shown || { echo "the window is gone" >&2; exit 1; }
      [ $((($(date +%s%N) - started) / 1000000000)) -lt 60 ] || { echo "nothing is drawn" >&2; exit 1; }
    done
    echo "$disk start: drawn after $((($(date +%s%N) - started) / 1000000)) ms," \
      "$(awk '{printf "%d ms of them waiting for a processor", $2 / 1e6}' /proc/$shown/schedstat)"
    [ $disk = warm ] || { kill $shown; wait $shown || :; while is_drawn $screen; do sleep 0.1; done; }
  done
  sleep 10
  import -display $screen -window root "$shots/$picture"
  is_drawn $screen && kill -0 $shown || { echo "the window is gone" >&2; exit 1; }
  kill $shown $server
  wait $shown $server 2>/dev/null || :
  umount "$root/tmp/.X11-unix"
}
is_drawn() { [ "$(import -display "$1" -window root -format %k info:)" -gt 50 ]; }

# Without a network interface, from the demo's export to the bundle: as the demo is, and with Tesseract as well, which
# this Debian lacks.
demo() { # PROGRAM
  ! inside which tesseract
  sed 's/"ppocr", "glyphs"/"ppocr", "glyphs", "tesseract"/' resources/defaults/protocol.toml >"$root/tmp/tesseract.toml"
  grep -q tesseract "$root/tmp/tesseract.toml"
  unshare --net chroot --userspec=1000:1000 "$root" env -i HOME=/home/ada PATH=/usr/bin:/bin LANG=C.UTF-8 sh -euc "
    cd && rm -rf demo && mkdir demo
    '$1' demo demo
    '$1' run 'demo/Demo-1/PACS export' --project demo/Demo-1/demo-1 --out demo/bundle --site DEMO --unattended
    '$1' verify demo/bundle
    '$1' run 'demo/Demo-1/PACS export' --project demo/other --protocol /tmp/tesseract.toml --out demo/bundle-2 \
      --site DEMO --unattended
    '$1' verify demo/bundle-2" 2>&1 | grep -E 'Bundle|Verified|rror'
}

left_over() { # what the user has that was not there before, but the demo and the settings
  (cd "$root" && find home/ada opt usr/bin usr/share -name '*consign*' -not -path '*/demo/*' -not -path '*/.config/*')
}

trap close_root EXIT

step "The self-extracting file, for one user, without root"
new_root
cp "dist/consign-$version-linux-x86_64.run" "$root/home/ada/consign.run"
chmod 755 "$root/home/ada/consign.run"
as_user sh -c 'cd && ./consign.run --quiet'
demo /home/ada/.local/bin/consign
step "The same with the drivers of a screen that the installer named"
inside apt-get update -qq
inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libegl1 libgl1 libfontconfig1 \
  libdbus-1-3 fonts-dejavu-core shared-mime-info >/dev/null 2>&1
window run.png /home/ada/.local/bin/consign
as_user ./home/ada/consign.run --quiet >/dev/null # over itself: an update
as_user sh -c 'cd && ./consign.run --quiet -- --prefix "/home/ada/other place" >/dev/null &&
  "other place/bin/consign" --version && "other place/lib/consign/uninstall.sh" && [ ! -e "other place/lib/consign" ]'
rm -r "$root/home/ada/other place"
grep -q 'application/x-consign-protocol:\*.consign' "$root/home/ada/.local/share/mime/globs2"
as_user /home/ada/.local/lib/consign/uninstall.sh
rm "$root/home/ada/consign.run"
[ -z "$(left_over)" ] || { left_over; echo "left behind" >&2; exit 1; }

step "The Debian package, for an administrator"
new_root
cp "dist/consign_${version}_amd64.deb" "$root/tmp/"
inside apt-get update -qq
inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "/tmp/consign_${version}_amd64.deb" >/dev/null 2>&1
inside dpkg --verify consign
demo /usr/bin/consign
window deb.png /usr/bin/consign --window
inside env DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq consign >/dev/null 2>&1
rm "$root/tmp/consign_${version}_amd64.deb"
[ -z "$(left_over)" ] || { left_over; echo "left behind" >&2; exit 1; }
printf '\nBoth were installed, shown, used to a verified bundle, and removed without a trace.\n'
