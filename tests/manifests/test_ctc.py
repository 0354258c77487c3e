import itertools

import pytest

from dsprep.manifests import ctc


def shortest_path(text: str) -> int:
    """Fewest steps of any CTC path that collapses to `text`, by trying them all."""
    for length in itertools.count():
        for path in itertools.product("_" + "".join(sorted(set(text))), repeat=length):
            collapsed = "".join(key for key, _ in itertools.groupby(path) if key != "_")
            if collapsed == text:
                return length
    raise AssertionError


@pytest.mark.parametrize("text", ["", "a", "ab", "aa", "aab", "aba", "aaa", "abba"])
def test_the_rule_is_ctc_s_own(text: str) -> None:
    assert ctc.needed(text) == shortest_path(text)


def test_the_models_ask_the_same_functions() -> None:
    from dsprep.trainer.features.mfcc import Mfcc01, Mfcc04
    from dsprep.trainer.features.spectrogram import LogSpectrogram
    from dsprep.trainer.features.tensorflow_mfcc import TensorflowMfcc
    from dsprep.trainer.models.deepspeech1 import DeepSpeech1
    from dsprep.trainer.models.deepspeech2 import DeepSpeech2

    for samples in (1, 399, 400, 401, 560, 561, 16_000, 46_797):
        assert DeepSpeech1.steps(Mfcc01().frames(samples)) == ctc.MODEL_STEPS["ds1"](samples)
        assert DeepSpeech2.steps(LogSpectrogram().frames(samples)) == ctc.MODEL_STEPS["ds2"](samples)
        assert TensorflowMfcc(8000).frames(samples) == ctc.whole_mfcc_frames(samples)
        assert Mfcc04().frames(samples) == ctc.long_mfcc_frames(samples)
        assert ctc.fewest_steps(samples) == min(steps(samples) for steps in ctc.MODEL_STEPS.values())
