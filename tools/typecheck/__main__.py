# SPDX-License-Identifier: Apache-2.0
"""``python -m tools.typecheck``: needs Node; a misspelt key or value is an error.

Each body becomes a literal of the request's type, for the oldest and the newest client
we speak for, and the TypeScript compiler looks for what the API does not know.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
BUILD = ROOT / "build" / "typecheck"

#: By folder of ``pipelines/``: the type of the request, and the name's field in it.
KINDS = {
    "component-templates": ("ClusterPutComponentTemplateRequest", "name"),
    "index-templates": ("IndicesPutIndexTemplateRequest", "name"),
    "ilm-policies": ("IlmPutLifecycleRequest", "name"),
    "ingest-pipelines": ("IngestPutPipelineRequest", "id"),
    "roles": ("SecurityPutRoleRequest", "name"),
    "transforms": ("TransformPutTransformRequest", "transform_id"),
}
CLIENTS = ("es8", "es9")

#: What the server takes and the types lack, by client and folder: keys and why. A gap
#: that has been closed is an error, too.
GAPS: dict[tuple[str, str], dict[str, str]] = {
    ("es8", "transforms"): {"aliases": "of a destination; documented since 8.8"},
}


def source(client: str, bodies: list[tuple[str, str, dict[str, object]]]) -> str:
    """Return a TypeScript module with every body as a literal of its type.

    Args:
        client: whose types.
        bodies: folder, name, and content of each.
    """
    lines = [f"import type {{ estypes }} from '{client}'", ""]
    for number, (folder, name, body) in enumerate(bodies):
        kind, field = KINDS[folder]
        lines.append(f"// {folder}/{name}.json")
        lines.append(f"export const body{number}: estypes.{kind} =")
        gaps = GAPS.get((client, folder), {})
        for line in json.dumps({field: name} | body, indent=2).splitlines():
            key = line.strip().partition(":")[0].strip('"')
            if key in gaps:
                lines.append(f"// @ts-expect-error {gaps[key]}")
            lines.append(line)
        lines.append("")
    return "\n".join(lines)


def bodies(folder: Path) -> list[tuple[str, str, dict[str, object]]]:
    """Return all bodies below ``folder``: kind, name, and content."""
    return [
        (path.parent.name, path.stem, json.loads(path.read_text("utf-8")))
        for path in sorted(folder.glob("*/*.json"))
        if path.parent.name in KINDS
    ]


def check(found: list[tuple[str, str, dict[str, object]]], build: Path) -> int:
    """Compile bodies against all clients' types; return the compiler's exit code."""
    for client in CLIENTS:
        (build / f"{client}.ts").write_text(source(client, found), "utf-8")
    compiler = build / "node_modules" / ".bin" / "tsc"
    return subprocess.run([compiler, "--project", build], check=False).returncode


def main() -> int:
    """Install what is needed, once, and check."""
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not installed; it is only needed for this check.")
        return 2
    BUILD.mkdir(parents=True, exist_ok=True)
    for path in HERE.glob("*.json"):
        shutil.copyfile(path, BUILD / path.name)
    # Without scripts: packages are read here, never run.
    install = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    subprocess.run([npm, *install], cwd=BUILD, check=True)
    found = bodies(ROOT / "pipelines")
    code = check(found, BUILD)
    if not code:
        print(f"{len(found)} bodies fit the types of {' and '.join(CLIENTS)}.")
    return code


if __name__ == "__main__":
    sys.exit(main())
