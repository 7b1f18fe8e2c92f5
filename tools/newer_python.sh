#!/usr/bin/env sh
# SPDX-License-Identifier: Apache-2.0
# Prints a Python 3.12 or newer: the compiler of the dashboards needs one, we do not.
set -eu
try() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || return 1
    "$1" -c 'import sys; print(sys.executable)'
    exit 0
}
for name in "${PYTHON:-python3}" python3.14 python3.13 python3.12; do
    try "$name" || true
done
for path in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python; do
    try "$path" || true
done
echo "No Python 3.12 or newer was found; only the dashboards need one." >&2
exit 1
