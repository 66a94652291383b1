#!/usr/bin/env bash
# Builds the Linux installers from dist/consign: build.sh VERSION; needs makeself and dpkg-deb.
# Same input, same bytes: names are sorted, times are those of SOURCE_DATE_EPOCH.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$1
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH=$epoch
here=packaging/linux
work=build/linux
[ -x dist/consign/consign ] || { echo "dist/consign is missing: make frozen" >&2; exit 1; }
rm -rf "$work"
mkdir -p "$work/run/icons" dist

# For one user, without root.
cp -a dist/consign "$work/run/consign"
cp "$here"/{install.sh,uninstall.sh,consign.desktop,consign.xml} "$work/run/"
cp build/icons/*.png "$work/run/icons/"
chmod 755 "$work/run"/*.sh
find "$work/run" -exec touch --no-dereference --date="@$epoch" {} +
# 6n: level 6, and gzip's -n, without the time.
makeself --gzip --complevel 6n --sha256 --nox11 --packaging-date "$(date -u -d "@$epoch" +%F)" \
  --tar-extra "--sort=name --owner=0 --group=0 --numeric-owner" \
  "$work/run" "dist/consign-$version-linux-x86_64.run" "Consign $version" ./install.sh >/dev/null

# For an administrator.
deb=$work/deb
mkdir -p "$deb"/{DEBIAN,opt,usr/bin,usr/share/{applications,mime/packages,man/man1,doc/consign}}
cp -a dist/consign "$deb/opt/consign"
ln -s /opt/consign/consign "$deb/usr/bin/consign"
sed 's|@PROGRAM@|/usr/bin/consign|' "$here/consign.desktop" >"$deb/usr/share/applications/consign.desktop"
cp "$here/consign.xml" "$deb/usr/share/mime/packages/"
gzip -9nc "$here/consign.1" >"$deb/usr/share/man/man1/consign.1.gz"
cp LICENSE "$deb/usr/share/doc/consign/copyright"
ln -s /opt/consign/lib/app/resources/licences "$deb/usr/share/doc/consign/licences"
for picture in build/icons/*.png; do
  size=$(basename "$picture" .png)
  install -D -m 644 "$picture" "$deb/usr/share/icons/hicolor/${size}x$size/apps/consign.png"
done
install -D -m 644 packaging/icon.svg "$deb/usr/share/icons/hicolor/scalable/apps/consign.svg"
cat >"$deb/DEBIAN/control" <<CONTROL
Package: consign
Version: $version
Architecture: amd64
Maintainer: ${CONSIGN_MAINTAINER:-$(git log -1 --format='%an <%ae>')}
Installed-Size: $(du -sk "$deb" | cut -f1)
Depends: libc6 (>= 2.36), libegl1, libgl1, libfontconfig1, libdbus-1-3
Recommends: fonts-dejavu-core | fonts-liberation, xdg-utils
Section: science
Priority: optional
Description: de-identify imaging examinations for research
 Consign finds the examinations that an organiser asks for, builds new files
 out of what is allowed to leave, shows people what is left to judge, and
 writes one bundle that verifies itself. It works offline.
CONTROL
chmod -R u+w,go-w "$deb"
find "$deb" -exec touch --no-dereference --date="@$epoch" {} +
dpkg-deb --root-owner-group -Zxz -z2 --build "$deb" "dist/consign_${version}_amd64.deb" >/dev/null
ls -l dist/*.run dist/*.deb
