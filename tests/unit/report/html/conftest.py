from __future__ import annotations

import pytest

from inferometer.report.document.content import content
from inferometer.report.document.sources import RunRecords
from inferometer.report.html import engine
from inferometer.report.html.page import render_page

LIBRARY = "window.vegaEmbed = () => {};"


@pytest.fixture
def page(monkeypatch, material):
    """Render pairs of a run and its records; the library is a line, as making it takes seconds."""
    monkeypatch.setattr(engine, "missing", lambda: None)
    monkeypatch.setattr(engine, "library", lambda: LIBRARY)

    def write(*pairs, findings=None):
        runs = [RunRecords(run=run, records=tuple(records)) for run, records in pairs]
        made_from = material(runs, findings)
        return render_page(content(made_from), made_from)

    return write
