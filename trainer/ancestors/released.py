"""Released: the models that can still be downloaded, by name.

    deepspeech-0.1.0                    models/output_graph.pb and alphabet.txt in a .tar.gz of 1.8 GB
    deepspeech-0.9.3                    a .pbmm, which has its alphabet in it
    deepspeech.pytorch-3.0-librispeech  a checkpoint of Lightning

Sources: the release pages of mozilla/DeepSpeech and SeanNaren/deepspeech.pytorch. They publish no digests.
"""

from dataclasses import dataclass
from pathlib import Path

from ...importers import Archive
from ...manifests import Progress, one_of
from ...pipeline.fetching.access import ACCESS, Access, is_url

MOZILLA = "https://github.com/mozilla/DeepSpeech/releases/download"
PYTORCH = "https://github.com/SeanNaren/deepspeech.pytorch/releases/download"


@dataclass(frozen=True, slots=True)
class Released:
    """A model that its makers published."""

    url: str
    release: str
    what: str


def _mozilla(version: str) -> Released:
    kind = "tar.gz" if version < "0.7" else "pbmm"
    what = "both ways, whitened MFCCs" if version < "0.2" else "forwards only"
    return Released(f"{MOZILLA}/v{version}/deepspeech-{version}-models.{kind}", version, f"English, {what}")


def _pytorch(release: str, corpus: str) -> Released:
    tag, ending = {"2.0": ("v2.0", "v2.pth"), "3.0": ("V3.0", "v3.ckpt")}[release]
    return Released(f"{PYTORCH}/{tag}/{corpus}_pretrained_{ending}", release, f"English, trained on {TITLES[corpus]}")


VERSIONS = ("0.1.0", "0.1.1", "0.2.0", "0.3.0", "0.4.1", "0.5.1", "0.6.1", "0.7.4", "0.8.2", "0.9.3")
TITLES = {"an4": "AN4", "librispeech": "LibriSpeech", "ted": "TED-LIUM"}
RELEASED = {
    **{f"deepspeech-{version}": _mozilla(version) for version in VERSIONS},
    **{
        f"deepspeech.pytorch-{release}-{corpus}": _pytorch(release, corpus)
        for release in ("2.0", "3.0")
        for corpus in TITLES
    },
}
"""By the name that `dsprep import-model` takes."""


def located(source: str, folder: Path, progress: Progress, access: Access = ACCESS) -> tuple[Path, str | None]:
    """Where the file of a name, a URL or a path is, fetched into `folder` if need be; and the release, if it is known.

    Raises:
        UsageError: it is none of these.
        FetchError, OutputError: it cannot be fetched.
    """
    if is_url(source):
        return _fetched(source, folder, progress, access), None
    if source not in RELEASED and Path(source).exists():
        return Path(source), None
    known = RELEASED[one_of("file, and no released model,", source, RELEASED)]
    return _fetched(known.url, folder, progress, access), known.release


def _fetched(url: str, folder: Path, progress: Progress, access: Access) -> Path:
    from ...pipeline.fetching.fetch import fetch  # speaks HTTP, which a file that is here does not need

    return fetch(Archive(url=url, bytes=None, digest=""), folder, progress, access)
