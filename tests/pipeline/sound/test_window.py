import io
import os

import pytest

from dsprep.pipeline.sound.window import Memory, Window


def test_a_window_is_a_file_of_its_own() -> None:
    window = Window(io.BytesIO(b"before, INSIDE and after"), 8, 6)
    assert window.read() == b"INSIDE"
    assert window.read() == b""
    assert window.seek(-2, os.SEEK_END) == 4
    assert (window.read(9), window.tell()) == (b"DE", 6)
    assert window.seek(2) == 2
    assert window.seek(1, os.SEEK_CUR) == 3
    assert window.read(1) == b"I"


@pytest.mark.parametrize("step", [1, 2, 3, 9])
def test_another_head_is_read_in_place_of_its_own(step: int) -> None:
    window = Window(io.BytesIO(b"..INSIDE.."), 2, 6, b"out")
    assert b"".join(iter(lambda: window.read(step), b"")) == b"outIDE"


@pytest.mark.parametrize("file", [Window(io.BytesIO(b"12345"), 0, 5), Memory(b"12345")])
def test_a_seek_to_before_the_begin_moves_nothing(file: Window | Memory) -> None:
    file.seek(3)
    assert file.seek(-1) == 3
    assert file.read() == b"45"


def test_an_error_of_the_file_is_kept_for_who_asks() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    window = Window(Broken(b"12345"), 0, 5)
    assert window.read(2) == b""
    assert isinstance(window.error, OSError)
