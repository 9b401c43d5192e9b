"""How long helps are laid out: options in sections, what most people need first."""

from __future__ import annotations

from collections.abc import Iterable

import click

SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "What to measure",
        ("models", "batches", "sizes", "backends", "precisions", "options", "threads", "device"),
    ),
    (
        "How thoroughly",
        ("preset", "budget_s", "target", "processes", "seed", "yes"),
    ),
    (
        "Where",
        ("file", "on", "each", "spread", "wait_s", "scheduler", "tls_ca", "tls_cert", "tls_key"),
    ),
    ("Results", ("store_path", "json_path", "output", "binary")),
    ("An interrupted run", ("resume", "retry_failed", "only")),
    ("Accuracy", ("data", "metric")),
    (
        "Energy",
        ("no_energy", "meters", "power_log", "mark", "energy_window_s", "allow_estimate"),
    ),
    ("Other ways to measure", ("pair", "sustain_s", "find_cliff", "control")),
    ("Limits and sensors", ("timeout_s", "memory_limit_bytes", "skip_larger", "roofline", "root")),
)
"""Title of each section, and its parameters in their order; what is in none comes last."""
WIDEST = 30
"""Characters of the first column; what is longer stands in a line of its own."""


HYPHEN = "\N{NON-BREAKING HYPHEN}"


class WholeWords(click.HelpFormatter):
    """Breaks lines between words, and not within `--fail-slower` or `docs/how-to`."""

    def write_text(self, text: str) -> None:
        """Write a paragraph."""
        super().write_text(text.replace("-", HYPHEN))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = WIDEST, col_spacing: int = 2
    ) -> None:
        """Write a list of terms."""
        whole = [(term, text.replace("-", HYPHEN)) for term, text in rows]
        super().write_dl(whole, col_max, col_spacing)

    def getvalue(self) -> str:
        """What was written."""
        return super().getvalue().replace(HYPHEN, "-")


class Sectioned(click.Command):
    """A command whose help shows its options in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections that have options, and then the other options."""
        rows = {
            str(parameter.name): row
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            and (row := parameter.get_help_record(ctx)) is not None
        }
        width = max(len(name) for name, _ in rows.values() if len(name) <= WIDEST)
        placed = [name for _, names in SECTIONS for name in names]
        others = tuple(name for name in rows if name not in placed)
        for title, names in (*SECTIONS, ("Other options", others)):
            section = [rows[name] for name in names if name in rows]
            if section:
                with formatter.section(title):
                    formatter.write_dl(
                        [(name.ljust(width), text) for name, text in section], col_max=width
                    )
