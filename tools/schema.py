"""Write `study/schema.json`, which editors read: python tools/schema.py."""

from __future__ import annotations

import json
from pathlib import Path

from inferometer.study.schema import schema

FILE = Path(__file__).parents[1] / "src" / "inferometer" / "study" / "schema.json"

if __name__ == "__main__":
    text = json.dumps(schema(), indent=1, ensure_ascii=False)
    FILE.write_text(f"{text}\n", encoding="utf-8")
