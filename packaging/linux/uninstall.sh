#!/bin/sh
# Removes what install.sh installed; projects and settings stay.
set -eu
home=$(cd "$(dirname "$0")" && pwd)
. "$home/installed-in"
rm -f "$prefix/bin/consign" "$data/applications/consign.desktop" "$data/mime/packages/consign.xml"
rm -f "$data"/icons/hicolor/*/apps/consign.png
update-mime-database "$data/mime" >/dev/null 2>&1 || :
update-desktop-database "$data/applications" >/dev/null 2>&1 || :
rm -rf "$home"
echo "Consign is removed. Your projects are where you put them."
