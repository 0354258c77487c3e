import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsprep.manifests import Sample
from dsprep.pipeline.shards.tar import END, after, before, header, taken

names = st.text("abcXYZ019_-.", min_size=1, max_size=100)


@given(names, st.integers(0, 8**11 - 1))
def test_a_header_is_the_one_that_tarfile_writes(name: str, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o444
    assert header(name, size) == info.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(("name", "size"), [("", 1), ("x" * 101, 1), ("x", 8**11), ("x", -1)])
def test_what_ustar_cannot_hold_is_refused(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="ustar cannot hold a member"):
        header(name, size)


@given(st.binary(max_size=2000), st.text(max_size=700).filter(lambda text: "\0" not in text))
def test_a_sample_is_three_members_and_takes_what_is_told(audio: bytes, transcript: str) -> None:
    try:
        sample = Sample(id="x-1", path=Path("/x"), size=len(audio), transcript=transcript, extras=(("age", "ü"),))
    except ValueError:  # a lone surrogate
        return
    data = before(sample, "flac", len(audio)) + audio + after(sample, len(audio))
    assert len(data) == taken(sample, len(audio))
    with tarfile.open(fileobj=io.BytesIO(data + END)) as tar:
        read = {member.name: file.read() for member in tar if (file := tar.extractfile(member))}
    assert list(read) == ["x-1.flac", "x-1.txt", "x-1.json"]
    assert (read["x-1.flac"], read["x-1.txt"].decode()) == (audio, transcript)
    assert json.loads(read["x-1.json"]) == {"id": "x-1", "duration": None, "speaker": "", "age": "ü"}
