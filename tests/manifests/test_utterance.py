from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import Sample, Utterance


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "a.b"},
        {"id": ""},
        {"id": "é"},
        {"id": "a/b"},
        {"id": "x" * 96},
        {"text": "a\0b"},
        {"text": "\udcff"},
        {"speaker": "\ud800"},
        {"start": -1.0},
        {"start": float("nan")},
        {"start": 2.0, "end": 2.0},
        {"extras": (("accent", "\0"),)},
    ],
)
def test_an_illegal_utterance_cannot_be_built(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Utterance(**{"id": "a", "audio": "a.wav", "text": "t", **fields})


@pytest.mark.parametrize("fields", [{"id": "a.b"}, {"size": -1}, {"duration": float("nan")}, {"transcript": "\0"}])
def test_an_illegal_sample_cannot_be_built(fields: dict[str, Any]) -> None:
    whole: dict[str, Any] = {"id": "a", "path": Path("a.wav"), "size": 1, "transcript": "t", **fields}
    with pytest.raises(ValueError, match=r"."):
        Sample(**whole)
