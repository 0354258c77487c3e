"""The benchmark of exports measures what it says it does."""

from pathlib import Path

import numpy as np

from dsprep.bench.export_speed import CLIPS, loading, made
from dsprep.trainer.acoustic.onnx_file import open_onnx
from dsprep.trainer.acoustic.run import open_run


def test_all_that_is_measured_loads_hears_and_is_the_same_model(tmp_path: Path) -> None:
    ways = made("ds2-small", tmp_path)
    figures = dict(loading(ways, processes=1))
    assert figures.keys() == ways.keys()
    assert all(seconds > 0 and own > 0 for seconds, own, _ in figures.values())
    (one,), (other,) = (
        model.log_probs(CLIPS[:1]) for model in (open_run(tmp_path / "run", "cpu"), open_onnx(tmp_path))
    )
    assert np.abs(one - other).max() < 1e-4
