#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a virtual environment and installs this project into it, editable.
# usage: tools/venv.sh PYTHON FOLDER EXTRA
set -eu
python=$1 folder=$2 extra=$3
"$python" - <<'CHECK' || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12" >&2; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
CHECK
if command -v uv >/dev/null 2>&1; then
    [ -x "$folder/bin/python" ] || uv venv --quiet --python "$python" "$folder"
    uv pip install --quiet --python "$folder/bin/python" --editable ".[$extra]"
else
    [ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[$extra]"
fi
