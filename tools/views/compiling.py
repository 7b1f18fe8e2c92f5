# SPDX-License-Identifier: Apache-2.0
"""From the sources to the file Kibana imports."""

from __future__ import annotations

import json
import subprocess
import tempfile
from operator import itemgetter
from pathlib import Path
from typing import Any

import yaml

from tools.views.dashboard import Dashboards
from tools.views.saved import data_view, search, text
from tools.views.sources import Sources

_FILE = "all.ndjson"


def compiled(sources: Sources, kb_dashboard: str) -> str:
    """Return the objects as NDJSON: what is referred to before what refers to it.

    Args:
        sources: the sources.
        kb_dashboard: path or name of the program, of version 0.4.1.

    Raises:
        subprocess.CalledProcessError: it refuses a source; its words are on stderr.
    """
    views = {view["id"]: view for view in sources.views}
    shaping = Dashboards(views, sources.extras, sources.neutral)
    described = {
        source["id"]: source
        for document in sources.dashboards.values()
        for source in document["dashboards"]
    }
    objects = [
        *(data_view(view, sources) for view in sources.views),
        *(search(one, views) for one in sources.searches),
        *(
            shaping.shaped(written, described[written["id"]])
            for written in _written(sources, kb_dashboard)
        ),
    ]
    return "".join(f"{text(one)}\n" for one in objects)


def _written(sources: Sources, kb_dashboard: str) -> list[dict[str, Any]]:
    """Return the dashboards as kb-dashboard writes them, by id."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "in", Path(folder) / "out"
        given.mkdir()
        for name, document in sources.dashboards.items():
            dumped = yaml.safe_dump(document, sort_keys=False)
            (given / name).write_text(dumped, encoding="utf-8")
        subprocess.run(
            [
                *(kb_dashboard, "compile", "--input-dir", str(given)),
                *("--output-dir", str(made), "--output-file", _FILE),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        lines = (made / _FILE).read_text(encoding="utf-8").splitlines()
    return sorted(map(json.loads, lines), key=itemgetter("id"))
