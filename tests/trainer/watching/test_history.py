"""The table at the end shows the first, the best and the last, and says what it leaves out."""

import math
from typing import Any

import pytest

from dsprep.pipeline.tables import table
from dsprep.trainer.watching.history import FEW, HEADER, LAST, table_rows


def test_few_epochs_are_all_shown(told: Any) -> None:
    header, rows = table_rows(told.history(FEW))
    assert header == HEADER
    assert [row[0] for row in rows] == [str(epoch) for epoch in range(1, FEW + 1)]


@pytest.mark.parametrize("best", [1, 2, 3, 12, 500, 991, 992, 993, 994, 1000])
def test_of_many_the_first_the_best_and_the_last_are_shown_and_the_others_counted(told: Any, best: int) -> None:
    history = told.history(1000, wer=0.5)
    history[best - 1] = told.epoch(best, wer=0.1)
    _, rows = table_rows(history)
    shown = [int(row[0]) for row in rows if row[0].isdecimal()]
    assert shown == sorted({1, best, *range(1001 - LAST, 1001)})
    assert [int(row[0]) for row in rows if row[-1] == "best"] == [best]
    left_out = [int(row[0].removesuffix(" not shown")) for row in rows if not row[0].isdecimal()]
    assert len(shown) + sum(left_out) == 1000
    assert all(left_out)


def test_each_figure_is_in_its_column(told: Any) -> None:
    _, rows = table_rows([told.epoch(12, loss=8.13, dev_loss=math.inf, wer=0.041, cer=0.012, rate=1.8e-3)])
    assert dict(zip(HEADER, rows[0], strict=True)) == {
        "epoch": "12",
        "loss": "8.130",
        "dev loss": "none",
        "WER": "4.10%",
        "CER": "1.20%",
        "rate": "0.0018",
        "": "best",
    }


def test_it_is_printed_by_the_program_s_own_table(told: Any) -> None:
    header, rows = table_rows(told.history(100))
    printed = list(table(header, rows))
    assert len(printed) == 1 + 1 + 1 + LAST
    assert printed[2].startswith("91 not shown")


def test_no_epochs_are_no_rows() -> None:
    assert table_rows([]) == (HEADER, [])
