#!/usr/bin/env bash
# UNVERIFIED: written without a Mac; nobody has run it yet. Builds dist/Consign.app and a disk image on macOS 13 or later,
# with Python 3.11 from python.org and Apple's command line tools: build.sh VERSION.
#
# CONSIGN_SIGN_IDENTITY   the name of a "Developer ID Application" certificate in the keychain; without it the program is
#                         not signed, and a Mac opens it by right click, Open alone
# CONSIGN_NOTARY_PROFILE  a keychain profile made with: xcrun notarytool store-credentials
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$1
app=dist/Consign.app
image=dist/consign-$version-macos-$(uname -m).dmg

# The list of what goes in has to be made on a Mac first: packaging/requirements/macos.txt, as lock.py does for the others.
[ -e packaging/requirements/macos.txt ] || { echo "packaging/requirements/macos.txt is missing" >&2; exit 1; }
bash packaging/freeze.sh
mkdir -p "$app/Contents/Resources/app/resources"
cp -R dist/consign/lib/app/resources/licences "$app/Contents/Resources/app/resources/"

if [ -n "${CONSIGN_SIGN_IDENTITY:-}" ]; then
  # From the inside to the outside: notarisation refuses one unsigned library.
  find "$app" -type f \( -name '*.so' -o -name '*.dylib' \) -exec \
    codesign --force --timestamp --options runtime --sign "$CONSIGN_SIGN_IDENTITY" {} +
  codesign --force --timestamp --options runtime --entitlements packaging/macos/entitlements.plist \
    --sign "$CONSIGN_SIGN_IDENTITY" "$app"
  codesign --verify --deep --strict "$app"
fi

staging=$(mktemp -d)
cp -R "$app" "$staging/"
ln -s /Applications "$staging/Applications"
rm -f "$image"
hdiutil create -volname Consign -srcfolder "$staging" -format ULFO "$image"
rm -rf "$staging"

if [ -n "${CONSIGN_NOTARY_PROFILE:-}" ]; then
  codesign --timestamp --sign "$CONSIGN_SIGN_IDENTITY" "$image"
  xcrun notarytool submit "$image" --keychain-profile "$CONSIGN_NOTARY_PROFILE" --wait
  xcrun stapler staple "$image"
  spctl --assess --type open --context context:primary-signature --verbose "$image"
fi
