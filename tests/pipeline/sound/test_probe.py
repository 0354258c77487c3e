import io
from typing import Any

import pytest
import soundfile

from dsprep.pipeline.sound.probe import HEAD, Probe, probe

ID3 = b"ID3\4\0\0\0\0\0\x0a" + b"T" * 10


def file_of(samples: Any, form: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format=form, subtype=subtype)
    return file.getvalue()


def probed(data: bytes) -> Probe:
    return probe(data[:HEAD], len(data))


@pytest.mark.parametrize(
    ("form", "subtype", "kind", "seconds"),
    [
        ("WAV", "PCM_16", "wav", 2.0),
        ("WAVEX", "PCM_24", "wav", 2.0),
        ("RF64", "PCM_16", "wav", 2.0),
        ("FLAC", "PCM_16", "flac", 2.0),
        ("MP3", "MPEG_LAYER_III", "mp3", 2.0),
        ("NIST", "PCM_16", "sphere", 2.0),
        ("AIFF", "PCM_16", "aiff", None),
        ("AU", "PCM_16", "au", None),
        ("CAF", "PCM_16", "caf", None),
        ("OGG", "OPUS", "ogg", None),
    ],
)
def test_content_tells_the_kind_and_about_how_long(
    make: Any, form: str, subtype: str, kind: str, seconds: float | None
) -> None:
    found = probed(file_of(make.tone(2.0), form, subtype))
    assert (found.kind, found.needs_ffmpeg) == (kind, False)
    assert found.seconds == (seconds and pytest.approx(seconds, rel=0.1))


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 5000, b"some text", b"<html>", b"RIFF....AVI ", b"\xff", b"OggX", b"NIST"]
)
def test_what_is_no_audio_is_unknown_and_ffmpeg_is_not_asked(data: bytes) -> None:
    assert probed(data) == Probe("unknown")


@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (b"\0\0\0\x20ftypM4A ", "m4a"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wma"),
        (b"\x1aE\xdf\xa3", "webm"),
        (b"#!AMR\n", "amr"),
        (b"\xff\xf1\x50\x80", "aac"),
        (b"\xff\xf9\x50\x80", "aac"),
        (b"\x0bw\0\0", "ac3"),
        (b"ajkg\2", "shorten"),
    ],
)
def test_what_libsndfile_does_not_read_is_for_ffmpeg(begin: bytes, kind: str) -> None:
    assert probed(begin + b"\0" * 100) == Probe(kind, None, True)


def test_what_libsndfile_reads_wrongly_is_for_ffmpeg_too(make: Any) -> None:
    flac = bytearray(make.flac(make.tone(1.0)))
    flac[21:26] = bytes([flac[21] & 0xF0, 0, 0, 0, 0])
    assert probed(bytes(flac)) == Probe("flac", None, True)
    wav = bytearray(file_of(make.tone(1.0), "WAV", "PCM_16"))
    wav[20] = 0x55
    assert probed(bytes(wav)).needs_ffmpeg
    sphere = file_of(make.tone(1.0), "NIST", "PCM_16").replace(
        b"sample_coding -s3 pcm", b"sample_coding -s26 pcm,embedded-shorten-v2.00"
    )
    assert probed(sphere).needs_ffmpeg
    assert probed(file_of(make.tone(1.0), "OGG", "VORBIS").replace(b"\1vorbis", b"Speex  ")).needs_ffmpeg


def test_a_tag_before_the_audio_does_not_hide_it(make: Any) -> None:
    assert probed(ID3 + make.flac(make.tone(1.0))).kind == "flac"
    assert probed(ID3 + file_of(make.tone(1.0), "MP3", "MPEG_LAYER_III")).kind == "mp3"
    assert probed(ID3[:6] + b"\0\0\x7f\x7f" + b"T" * 9000).kind == "mp3", (
        "a tag longer than the head is most likely its"
    )
