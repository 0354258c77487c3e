import io
from typing import Any

import numpy as np
import pytest
import soundfile

from dsprep.pipeline.sound import ffmpeg
from dsprep.pipeline.sound.audio import Cut, NeedsFfmpeg, Truncated, Unreadable, decode, open_audio
from dsprep.pipeline.sound.sphere import sphere

needs_ffmpeg = pytest.mark.skipif(not ffmpeg.installed(), reason="ffmpeg is not installed")


def header(samples: int, size: int = 1024, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "channel_count": 1,
        "sample_rate": 16_000,
        "sample_n_bytes": 2,
        "sample_byte_format": "01",
        "sample_coding": "pcm",
        "sample_count": samples,
    } | changes
    lines = [
        f"{name} -i {value}" if isinstance(value, int) else f"{name} -s{len(value)} {value}"
        for name, value in fields.items()
        if value is not None
    ]
    text = "\n".join(lines)
    return f"NIST_1A\n{size:7}\n{text}\nend_head\n".encode().ljust(size)


def test_the_header_is_read_as_it_is_written() -> None:
    found = sphere(header(7, 2048, channel_count=2, sample_byte_format="10", sample_coding="PCM"))
    assert (found.begin, found.samples, found.channels, found.endian) == (2048, 7, 2, "BIG")
    assert (found.subtype, found.rate, found.shorten) == ("PCM_16", 16_000, False)


@pytest.mark.parametrize("size", [256, 1024, 1028, 3072])
@pytest.mark.parametrize(("order", "dtype"), [("01", "<i2"), ("10", ">i2")])
def test_samples_begin_where_the_header_says_it_ends(make: Any, size: int, order: str, dtype: str) -> None:
    pcm = make.tone(0.2)
    data = header(len(pcm), size, sample_byte_format=order) + pcm.astype(dtype).tobytes()
    assert np.array_equal(decode(data), pcm)
    assert np.array_equal(decode(data, start=0.05, end=0.1), pcm[800:1600])


@pytest.mark.parametrize(
    ("coding", "width", "subtype"),
    [
        ("pcm", 1, "PCM_S8"),
        ("pcm", 3, "PCM_24"),
        ("pcm", 4, "PCM_32"),
        ("mu-law", 1, "ULAW"),
        ("ULAW", 1, "ULAW"),
        ("alaw", 1, "ALAW"),
    ],
)
def test_every_coding_is_decoded_to_its_sound(make: Any, coding: str, width: int, subtype: str) -> None:
    pcm, raw = make.tone(0.2), io.BytesIO()
    soundfile.write(raw, pcm, 16_000, format="RAW", subtype=subtype, endian="FILE" if width == 1 else "BIG")
    order = "1" if width == 1 else "10"
    data = header(len(pcm), sample_coding=coding, sample_n_bytes=width, sample_byte_format=order) + raw.getvalue()
    tolerance = {"PCM_S8": 256, "ULAW": 512, "ALAW": 512}.get(subtype, 1)
    assert np.abs(decode(data).astype(int) - pcm).max() <= tolerance


def test_without_a_coding_samples_are_pcm_and_without_a_count_they_go_to_the_end(make: Any) -> None:
    pcm = make.tone(0.1)
    data = header(0, sample_coding=None, sample_count=None) + pcm.tobytes()
    assert np.array_equal(decode(data), pcm)


def test_what_follows_the_counted_samples_is_not_sound(make: Any) -> None:
    pcm = make.tone(0.1)
    assert np.array_equal(decode(header(len(pcm)) + pcm.tobytes() + b"trailer"), pcm)


def test_the_channels_of_a_call_are_told_apart(make: Any) -> None:
    left, right = make.tone(0.1, 300), make.tone(0.1, 500)
    data = header(len(left), channel_count=2) + np.stack([left, right], 1).tobytes()
    assert np.array_equal(decode(data, channel=0), left)
    assert np.array_equal(decode(data, channel=1), right)


def test_a_file_with_fewer_samples_than_it_counts_is_cut_off_but_what_is_there_lives(make: Any) -> None:
    pcm = make.tone(1.0)
    data = header(len(pcm)) + pcm[:10_000].tobytes()
    with pytest.raises(Truncated, match="10000 of 16000 samples are there"):
        decode(data)
    wanted = [Cut(start=0.5, end=0.625), Cut(start=0.5, end=0.75), Cut(start=0.9, end=1.5)]
    with open_audio(io.BytesIO(data), len(data)) as audio:
        found = dict(audio.cuts(wanted))
    assert np.array_equal(found[0], pcm[8000:10_000])  # type: ignore[arg-type]
    assert isinstance(found[1], Truncated)
    assert "it has 1.000 s" in str(found[2])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"NIST_1A\n   1024\nsample_rate -i 16000\n", "1024 bytes, and 101 are there"),
        (b"NIST_1A\n  -1024\n".ljust(2000), "its own length"),
        (b"NIST_1A\n9999999\n".ljust(2000), "its own length"),
        (b"NIST_1A\n   1024\nsample_rate -i 16000\n".ljust(2000), "no end_head"),
        (header(1, sample_rate=None), "sample_rate"),
        (header(1, sample_rate=-8000), "sample_rate as -8000"),
        (header(1, channel_count=0), "channel_count"),
        (header(1, sample_n_bytes=5), "5 bytes a sample"),
        (header(1, sample_byte_format="0123"), "sample_byte_format"),
        (header(1, sample_coding="pcm,embedded-wavpack-v1.0"), "packed by 'embedded-wavpack-v1.0'"),
        (header(1, sample_coding="celp"), "coding 'celp'"),
        (header(1).replace(b"-i 16000", b"-i 1600x"), "a line 'sample_rate -i 1600x'"),
    ],
)
def test_a_header_of_nonsense_is_refused_by_name(data: bytes, what: str) -> None:
    with pytest.raises(Unreadable, match=what):
        decode(data + b"\0" * 64)


class Bits:
    """A stream in the way of shorten 2.0: unary quotients, then so many low bits."""

    def __init__(self) -> None:
        self.bits = ""

    def unsigned(self, value: int, low: int) -> None:
        self.bits += "0" * (value >> low) + "1" + (f"{value & (1 << low) - 1:0{low}b}" if low else "")

    def long(self, value: int) -> None:
        low = value.bit_length()
        self.unsigned(low, 2)
        self.unsigned(value, low)

    def signed(self, value: int, low: int) -> None:
        self.unsigned(~value << 1 | 1 if value < 0 else value << 1, low + 1)


def shortened(pcm: Any, block: int = 256) -> bytes:
    """`pcm`, whole blocks of one channel, without prediction (function 0 of shorten, 4 ends the stream)."""
    bits = Bits()
    for value in (5, 1, block, 0, 0, 0):  # 16 bits little endian, channels, block, no LPC, no means, nothing to skip
        bits.long(value)
    for start in range(0, len(pcm), block):
        bits.unsigned(0, 2)
        bits.unsigned(12, 3)
        for value in pcm[start : start + block].tolist():
            bits.signed(value, 12)
    bits.unsigned(4, 2)
    text = bits.bits.ljust(-(-len(bits.bits) // 32) * 32, "0")
    return b"ajkg\2" + int(text, 2).to_bytes(len(text) // 8)


@needs_ffmpeg
@pytest.mark.parametrize("coding", ["pcm,embedded-shorten-v2.00", "PCM,embedded-shorten-v2.00", "pcm", None])
def test_shorten_is_decoded_bit_for_bit_even_where_the_header_hides_it(make: Any, coding: str | None) -> None:
    pcm = make.tone(0.512)
    data = header(len(pcm), sample_coding=coding) + shortened(pcm)
    assert np.array_equal(decode(data), pcm)


@needs_ffmpeg
def test_shorten_that_brings_other_than_the_counted_samples_is_refused(make: Any) -> None:
    pcm = make.tone(0.512)
    data = header(len(pcm) + 256, sample_coding="pcm,embedded-shorten-v2.00") + shortened(pcm)
    with pytest.raises(Unreadable, match=r"8192 of its 8448 samples; convert it to WAV with .* sph2pipe"):
        decode(data)


def test_shorten_without_ffmpeg_is_refused_with_what_to_install(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    pcm = make.tone(0.512)
    data = header(len(pcm), sample_coding="pcm,embedded-shorten-v2.00") + shortened(pcm)
    with pytest.raises(NeedsFfmpeg, match="SPHERE compressed by shorten needs ffmpeg: install it"):
        decode(data)


def test_channels_that_follow_each_other_are_refused_lest_they_be_mixed_up() -> None:
    with pytest.raises(Unreadable, match="one channel after the other"):
        sphere(header(7, channel_count=2, channels_interleaved="FALSE"))
    assert sphere(header(7, channel_count=2, channels_interleaved="TRUE")).channels == 2
