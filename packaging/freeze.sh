#!/usr/bin/env bash
# Freezes the program into dist/consign, with its licences, and writes its bill of materials (CycloneDX).
# What goes in is named by hash in packaging/requirements, so that a release can be built again.
set -euo pipefail
cd "$(dirname "$0")/.."
platform=$(case $(uname -s) in Darwin) echo macos ;; *) echo linux ;; esac)
list=packaging/requirements/$platform.txt
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} PYTHONHASHSEED=0

# A new environment, so that nothing gets in that no list names.
rm -rf build/env dist/consign
"${PYTHON:-python3.11}" -m venv build/env
build/env/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
  -r "$list" -r packaging/requirements/tools.txt
build/env/bin/python packaging/icons.py build/icons
[ "$platform" = macos ] || gcc -shared -fPIC -O2 -s -o build/jbig.so packaging/linux/jbig.c
build/env/bin/pyinstaller --noconfirm --log-level ERROR --distpath dist --workpath build/freeze packaging/consign.spec
build/env/bin/python packaging/licences.py build/env/lib/python3.11/site-packages "$list" \
  dist/consign/lib/app/resources/licences build/freeze/consign/COLLECT-00.toc
build/env/bin/cyclonedx-py requirements "$list" --output-reproducible --of JSON -o dist/consign-sbom-$platform.cdx.json
