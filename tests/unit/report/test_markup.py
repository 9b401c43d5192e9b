from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from inferometer.report.document.marks import plain
from inferometer.report.document.markup import Markdown, bullets, escape, image, table, verbatim

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
SPECIAL = st.text(st.sampled_from("a_*`|<>[]()!~$&#;-+=.1\\\n x"), max_size=12)


def shown(source: str) -> list[str]:
    """The text of each inline element, none of which may be anything but text."""
    inline = [token for token in MARKDOWN.parse(source) if token.type == "inline"]
    for token in inline:
        assert {child.type for child in token.children} <= {"text", "text_special"}
    return ["".join(child.content for child in token.children) for token in inline]


@given(SPECIAL | st.text(max_size=20))
def test_escaped_text_is_shown_as_it_is(text):
    expected = [plain(text)] if plain(text) else []
    assert shown(escape(text)) == expected


@given(SPECIAL | st.text(max_size=20))
def test_escaped_text_keeps_to_its_cell(text):
    cells = shown(escape(table(["name", "other"], [[text, "x"], ["y", "z"]], left=2)))
    assert cells == ["name", "other", plain(text), "x", "y", "z"]


@given(st.lists(SPECIAL.filter(plain), min_size=1, max_size=3))
def test_a_list_has_an_item_for_each_line(lines):
    tokens = MARKDOWN.parse(bullets(lines))
    assert [token.type for token in tokens].count("list_item_open") == len(lines)
    assert shown(bullets(lines)) == [plain(line) for line in lines]


@given(st.text(st.sampled_from("`~\n a"), max_size=20).filter(plain))
def test_code_in_a_line_ends_where_it_should(text):
    (line,) = (one for one in MARKDOWN.parse(f"x {verbatim(text)} y") if one.type == "inline")
    assert [child.type for child in line.children] == ["text", "code_inline", "text"]
    assert line.children[1].content == plain(text)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "0.1.0", "38.2 ± 0.9 ms"])
def test_common_names_and_figures_stay_readable(name):
    assert escape(name) == name


def test_markdown_is_not_escaped_twice():
    assert escape(Markdown("**x**")) == "**x**"
    assert escape(escape("*")) != escape("*")


def test_columns_without_content_and_tables_without_rows_are_left_out():
    assert escape(table(["a", "b"], [["1", ""], ["2", "–"]])) == "| a |\n|:--|\n| 1 |\n| 2 |"  # noqa: RUF001
    assert escape(table(["a"], [])) == ""
    assert not table(["a"], [])


def test_an_image_has_a_caption():
    assert re.fullmatch(r"!\[A plot\]\(plots/x\.png\)", image("A plot", "plots/x.png"))
