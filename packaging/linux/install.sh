#!/bin/sh
# Started by the self-extracting file: installs for the user who started it. Needs no root and no internet.
# Options (after a "--"): --prefix FOLDER (default ~/.local), --uninstall.
set -eu

prefix=$HOME/.local
data=${XDG_DATA_HOME:-$HOME/.local/share}
remove=no
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=$2 data=$2/share; shift ;;
    --uninstall) remove=yes ;;
    *) echo "Unknown option $1: --prefix FOLDER or --uninstall" >&2; exit 2 ;;
  esac
  shift
done
home=$prefix/lib/consign

if [ "$remove" = yes ]; then
  [ -x "$home/uninstall.sh" ] || { echo "Consign is not installed in $home." >&2; exit 1; }
  exec "$home/uninstall.sh"
fi

# What a desktop has and no program brings along: the system's drivers for the screen.
missing=
for pair in libEGL.so.1=libegl1 libGL.so.1=libgl1; do
  found=no
  for place in /lib/*/ /usr/lib/*/ /lib64/ /usr/lib64/ /usr/lib/; do
    [ ! -e "$place${pair%%=*}" ] || found=yes
  done
  [ $found = yes ] || missing="$missing ${pair##*=}"
done

# A whole new folder beside the old one, then a change of names: an interrupted update leaves the old program.
mkdir -p "$prefix/lib" "$prefix/bin" "$data/applications" "$data/mime/packages"
rm -rf "$home.new" "$home.old"
cp -R consign "$home.new"
cp uninstall.sh "$home.new/uninstall.sh"
printf 'prefix=%s\ndata=%s\n' "'$prefix'" "'$data'" >"$home.new/installed-in"
[ ! -e "$home" ] || mv "$home" "$home.old"
mv "$home.new" "$home"
rm -rf "$home.old"
ln -sf "$home/consign" "$prefix/bin/consign"
sed "s|@PROGRAM@|\"$home/consign\"|" consign.desktop >"$data/applications/consign.desktop"
cp consign.xml "$data/mime/packages/consign.xml"
for picture in icons/*.png; do
  size=$(basename "$picture" .png)
  mkdir -p "$data/icons/hicolor/${size}x$size/apps"
  cp "$picture" "$data/icons/hicolor/${size}x$size/apps/consign.png"
done
update-mime-database "$data/mime" >/dev/null 2>&1 || :
update-desktop-database "$data/applications" >/dev/null 2>&1 || :

echo "Consign is installed in $home."
echo "Start it from the menu, or with: $prefix/bin/consign"
echo "Remove it with: $home/uninstall.sh"
[ -z "$missing" ] || echo "The window needs what this system lacks. Ask an administrator for:$missing" >&2
