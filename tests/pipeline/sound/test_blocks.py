"""Sound in blocks is that of the whole, and what is wrong with a file is told all the same."""

import io

import numpy as np
import pytest
import soundfile

from dsprep.pipeline.sound.audio import Pcm, Truncated, Unreadable, decode
from dsprep.pipeline.sound.blocks import Flow, pcm_blocks
from dsprep.pipeline.sound.stream import open_stream


def file_of(rate: int, channels: int, form: str, subtype: str | None = None) -> bytes:
    samples = np.random.default_rng(rate).normal(0, 0.1, (5 * rate + 17, channels))
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def in_blocks(data: bytes) -> list[Pcm]:
    with open_stream(io.BytesIO(data), len(data)) as stream:
        return list(pcm_blocks(stream))


@pytest.mark.parametrize(
    ("rate", "channels", "form", "subtype"),
    [
        (16_000, 1, "WAV", "PCM_16"),
        (16_000, 1, "FLAC", None),
        (48_000, 2, "WAV", "PCM_16"),
        (44_100, 2, "FLAC", "PCM_24"),
        (8_000, 1, "WAV", "ULAW"),
        (22_050, 3, "WAV", "FLOAT"),
        (48_000, 2, "OGG", None),
    ],
)
def test_blocks_together_are_the_whole(rate: int, channels: int, form: str, subtype: str | None) -> None:
    data = file_of(rate, channels, form, subtype)
    blocks = in_blocks(data)
    assert len(blocks) > 1
    assert np.array_equal(np.concatenate(blocks), decode(data))


def test_a_file_that_is_cut_off_gives_what_is_there_and_is_told() -> None:
    data = file_of(16_000, 1, "WAV")[:100_000]
    with open_stream(io.BytesIO(data), len(data)) as stream, pytest.raises(Truncated, match="bytes are there"):
        list(pcm_blocks(stream))


def test_samples_that_are_no_numbers_are_told() -> None:
    for rate in (16_000, 8_000):
        with pytest.raises(Unreadable, match="not numbers"):
            Flow(rate).take(np.full((10, 2), np.nan, np.float32))
