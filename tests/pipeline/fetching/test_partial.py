"""The file of a download on its way, and who may have it."""

import threading
from pathlib import Path

from dsprep.manifests import OutputError
from dsprep.pipeline.fetching.answer import Body, Piece
from dsprep.pipeline.fetching.partial import opened


def test_it_knows_what_it_is_a_piece_of(tmp_path: Path) -> None:
    path = tmp_path / ".a.tar.part"
    with opened(path) as partial:
        partial.begin("md5:1", Body(0, 10, '"tag"'))
        partial.append(b"1234")
    with opened(path) as partial:
        assert partial.piece("md5:1") == Piece(4, '"tag"', 10)
        assert partial.piece("md5:2") == Piece(0)


def test_a_state_of_which_a_byte_changed_is_none(tmp_path: Path) -> None:
    path = tmp_path / ".a.tar.part"
    with opened(path) as partial:
        partial.begin("md5:1", Body(0, 10, '"tag"'))
        partial.append(b"1234")
        state = tmp_path / ".a.tar.part.json"
        state.write_bytes(state.read_bytes().replace(b"10", b"11"))
        assert partial.piece("md5:1") == Piece(0)


def test_a_file_that_was_finished_is_nobodys_partial(tmp_path: Path) -> None:
    """Who opened it while it was partial, and got the lock when it was whole, must not write into it."""
    path, sizes = tmp_path / ".a.tar.part", list[int]()

    def finish(worker: int) -> None:
        for turn in range(150):
            try:
                with opened(path) as partial:
                    sizes.append(partial.size)
                    partial.append(b"x")
                    partial.become(tmp_path / f"{worker}-{turn}")
            except OutputError:
                pass  # another one has it

    threads = [threading.Thread(target=finish, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(sizes) == {0}
