"""The option of these tests; `pytest tests/runtimes` knows it."""

from __future__ import annotations


def pytest_addoption(parser):
    parser.addoption("--table", metavar="FILE", help="write what the cells gave there, as Markdown")
