"""Opening: a model that hears, from where a user says it lies.

runs/digits              a run of dsprep train: its best checkpoint, by torch
digits                   a folder of dsprep export: its model.onnx, by onnxruntime, without torch
digits/model.int8.onnx   one file of it
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from ...manifests import DataError, MissingExtraError, UsageError
from .acoustic import AcousticModel

CHECKPOINTS, EXPORTED = "checkpoints", "model.onnx"
"""What makes a folder a run, or an export."""
ENDING = ".onnx"
"""Of one exported model's name."""


def open_model(
    place: Path,
    device: str | None = None,
    on_notice: Callable[[str], None] = lambda notice: None,
    threads: int | None = None,
) -> AcousticModel:
    """The model of a run or of an export, on a device as users name it, by default a GPU if there is one.

    `threads` are those of an exported model, by default one a core; torch has its own setting.

    Raises:
        TrainingError: the run has no whole checkpoint.
        DataError: the file cannot be read, is not whole, not ONNX, or not of this version of dsprep export.
        MissingExtraError: what computes it is not installed.
        UsageError: there is no such device, or nothing there that hears.
    """
    _look(place)
    if is_run(place):
        _need(place, "torch", "train")
        from ..training.device import device_of
        from .run import open_run

        return open_run(place, device_of(device), on_notice)
    if place.is_dir() and not (place / EXPORTED).exists():
        raise UsageError(
            f"{place} is neither a run nor an export: name a folder that dsprep train or export has written"
        )
    _need(place, "onnxruntime", "onnx")
    from .onnx_file import open_onnx

    return open_onnx(place, device, threads)


def is_run(place: Path) -> bool:
    """Whether it is a run of dsprep train, which torch computes."""
    return (place / CHECKPOINTS).is_dir()


def is_exported(place: Path) -> bool:
    """Whether it is an export, or one file of it by its name."""
    if place.is_dir():
        return not is_run(place) and (place / EXPORTED).exists()
    return place.suffix == ENDING


def _look(place: Path) -> None:
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        told = f"there is no model {place}: name a folder of dsprep train or dsprep export, or a .onnx file"
        raise UsageError(told) from error
    except OSError as error:
        raise DataError(f"cannot read {place}: {error.strerror}") from error


def _need(place: Path, package: str, extra: str) -> None:
    if find_spec(package) is None:
        raise MissingExtraError(f"to hear with {place}: pip install {package} (dsprep's extra {extra!r})")
