"""What the tests of the report share: utterances that were never said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsprep.manifests import Sample
from dsprep.trainer.decoding.hypothesis import Hypothesis
from dsprep.trainer.scoring.errors import count_characters, count_words
from dsprep.trainer.scoring.heard import Heard

Make = Callable[..., Heard]


@pytest.fixture(scope="session")
def heard() -> Make:
    """One utterance by id, what was said and what was heard; its audio is not there."""

    def made(id: str, said: str, got: str, loss: float = 1.0, **facts: Any) -> Heard:
        known: dict[str, Any] = {"path": Path("nowhere.flac"), "size": 1, "duration": 1.0} | facts
        sample = Sample(id=id, transcript=said, **known)
        return Heard(sample, Hypothesis(text=got), loss, count_words(said, got), count_characters(said, got))

    return made
