import io
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.pipeline.sound.audio import Truncated, Unreadable, decode
from dsprep.pipeline.sound.ogg import shortfall


def ogg_of(samples: Any, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="OGG", subtype=subtype)
    return file.getvalue()


def pages(data: bytes) -> list[bytes]:
    return [b"OggS" + page for page in data.split(b"OggS")[1:]]


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_stream_cut_at_any_byte_is_known_to_be_cut(make: Any, subtype: str) -> None:
    data = ogg_of(make.tone(3.0), subtype)
    assert shortfall(io.BytesIO(data), len(data)) is None
    for size in range(1, len(data), 13):
        assert shortfall(io.BytesIO(data[:size]), size), size


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_stream_cut_between_two_pages_is_known_by_its_missing_end(make: Any, subtype: str) -> None:
    parts = pages(ogg_of(make.tone(5.0), subtype))
    with pytest.raises(Truncated, match="pages is marked as the last"):
        decode(b"".join(parts[:-1]))


def test_a_stream_that_lost_a_page_is_damaged(make: Any) -> None:
    parts = pages(ogg_of(make.tone(5.0), "OPUS"))
    with pytest.raises(Unreadable, match="damaged Ogg: after 3 pages"):
        decode(b"".join(parts[:3] + parts[4:]))


def test_several_streams_are_refused_lest_the_first_be_all(make: Any) -> None:
    first, second = ogg_of(make.tone(1.0), "VORBIS"), ogg_of(make.tone(1.0, 500), "VORBIS")
    serial = pages(second)[0][14:18]
    assert serial != pages(first)[0][14:18]
    with pytest.raises(Unreadable, match="several streams"):
        decode(first + second)


def test_all_samples_come_back(make: Any) -> None:
    for subtype in ("VORBIS", "OPUS"):
        pcm = make.tone(1.0)
        found = decode(ogg_of(pcm, subtype))
        assert len(found) == len(pcm)
        assert np.corrcoef(found, pcm)[0, 1] > 0.9


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_page_with_a_flipped_bit_is_damaged_lest_what_follows_come_early(make: Any, subtype: str) -> None:
    data = bytearray(ogg_of(make.tone(5.0), subtype))
    data[len(data) // 2] ^= 1
    with pytest.raises(Unreadable, match="has another checksum"):
        decode(bytes(data), start=4.0, end=4.5)
