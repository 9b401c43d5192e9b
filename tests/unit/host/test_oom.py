from __future__ import annotations

import pytest

from inferometer.host.oom import oom_kills


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("nr_free_pages 5\noom_kill 3\npgfault 9\n", 3),
        ("oom_kill 0", 0),
        ("nr_free_pages 5\n", None),
        ("oom_kill many\n", None),
        ("oom_killer 4\n", None),
        ("", None),
    ],
)
def test_the_count_is_read_or_not_observable(tmp_path, text, count):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/vmstat").write_text(text)
    assert oom_kills(tmp_path) == count


def test_a_tree_without_the_file(tmp_path):
    assert oom_kills(tmp_path) is None
