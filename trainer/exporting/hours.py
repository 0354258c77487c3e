"""Hours: how much sound a run was trained on, as far as its log tells.

{"epoch": 24, "kind": "epoch", "audio_seconds": 3229.7, ...}    ->    0.897
"""

import json
from pathlib import Path


def hours_an_epoch(run: Path) -> float | None:
    """Hours of the last epoch that RUN/log.jsonl has; None if it has none."""
    try:
        lines = (run / "log.jsonl").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in reversed(lines):
        try:
            told = json.loads(line)
            if told["kind"] == "epoch":
                return float(told["audio_seconds"]) / 3600
        except (ValueError, KeyError, TypeError):
            continue  # a line that was cut off
    return None
