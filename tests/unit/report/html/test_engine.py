"""The script of the page's plots is made once for each version of what makes it."""

from __future__ import annotations

import vl_convert

from inferometer.report.html import engine

MADE = "plot('</script');"
WANTED = "plot('<\\/script');"


def made_anew(monkeypatch, by=lambda _: MADE):
    """The script, as another process would get it."""
    monkeypatch.setattr(vl_convert, "javascript_bundle", by)
    engine.library.cache_clear()
    try:
        return engine.library()
    finally:
        engine.library.cache_clear()


def refuse(_):
    raise AssertionError("it was made anew")


def test_a_script_that_was_made_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("INFEROMETER_CACHE", str(tmp_path / "cache"))
    assert made_anew(monkeypatch) == WANTED
    assert made_anew(monkeypatch, refuse) == WANTED


def test_a_damaged_script_or_one_of_another_version_is_made_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("INFEROMETER_CACHE", str(tmp_path))
    made_anew(monkeypatch)
    [kept] = tmp_path.rglob("*.js")
    for damaged in (kept.read_bytes()[:-1], b"", b"\xff\n\xff"):
        kept.write_bytes(damaged)
        assert made_anew(monkeypatch) == WANTED
        assert made_anew(monkeypatch, refuse) == WANTED
    monkeypatch.setattr(engine, "version", lambda _: "another")
    assert made_anew(monkeypatch, lambda _: "other") == "other"


def test_without_a_place_to_keep_it_there_is_a_script_too(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("INFEROMETER_CACHE", str(tmp_path / "file"))
    assert made_anew(monkeypatch) == WANTED
