"""Pictures of the documentation: small, described, used, and made by the script."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMAGES = sorted((ROOT / "docs" / "images").iterdir())
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MOST_BYTES = 150_000
SHOWN = {
    (page, alternative, (page.parent / target).resolve())
    for page in PAGES
    for alternative, target in re.findall(
        r"!\[([^]]*)\]\(([\w./-]+)\)", page.read_text(encoding="utf-8")
    )
}


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_a_picture_is_small_and_shown_on_a_page(image):
    assert image.stat().st_size < MOST_BYTES
    assert image in {target for _, _, target in SHOWN}


def test_pictures_that_are_shown_are_there_and_have_alternative_texts():
    assert not [(page, target) for page, _, target in SHOWN if not target.is_file()]
    assert not [(page, target) for page, words, target in SHOWN if len(words) < 15]


def test_the_script_makes_them():
    script = (ROOT / "tools" / "screenshots.py").read_text(encoding="utf-8")
    calls = [one for one in ast.walk(ast.parse(script)) if isinstance(one, ast.Call)]
    named = [word for call in calls for word in call.keywords if word.arg == "name"]
    made = {word.value.value for word in named if isinstance(word.value, ast.Constant)}
    drawn = {image.stem for image in IMAGES if not image.stem.startswith("notebook-6")}
    assert drawn == made
