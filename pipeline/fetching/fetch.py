"""Fetch: published files onto this machine, resumed where they broke off, never taken for whole unless they are.

archives/.dev-clean.tar.gz.part         what has arrived (`partial.py`)
archives/dev-clean.tar.gz               whole, its digest checked
archives/dev-clean.tar.gz.json          its record
archives/mdc-cminc35no007no707hql26lzk.json     under which name a dataset of Mozilla Data Collective is here
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ...importers import Archive
from ...manifests import DataError, FetchError, Progress, UsageError
from ..commit import FileDigest, accepted, seal, unseal, write_record, write_whole, writing
from ..hashing import digests
from . import collective
from .access import ACCESS, MDC, Access, Patience, is_url
from .download import Renew, download
from .offer import Offer, offered, shown, url_name
from .partial import Partial, opened


def local(
    archives: Sequence[Archive], sources: Sequence[str], folder: Path, progress: Progress, access: Access = ACCESS
) -> list[Path]:
    """`sources` as paths: URLs and `mdc:` ids among them are fetched into `folder`. What `archives` are is known.

    Without sources all of the archives are fetched.

    Raises:
        UsageError: two URLs end in the same name, or `mdc:` is without an id or a key.
        FetchError, OutputError: as `fetch`.
    """
    if not sources:
        return [fetch(archive, folder, progress, access) for archive in archives]
    taken: set[str] = set()
    for source in filter(is_url, dict.fromkeys(sources)):
        _take(url_name(source), taken)
    return [_local(archives, source, folder, progress, access, taken) for source in dict.fromkeys(sources)]


def _local(
    archives: Sequence[Archive], source: str, folder: Path, progress: Progress, access: Access, taken: set[str]
) -> Path:
    if source.startswith(MDC):
        return fetch_dataset(source.removeprefix(MDC), folder, progress, access, taken)
    if is_url(source):
        return fetch(_named(archives, source), folder, progress, access)
    return Path(source)


def _take(name: str, taken: set[str]) -> None:
    """Make sure that no two sources are kept under one name: each would replace the other."""
    if name in taken:
        raise UsageError(f"two sources are of a file {name}: fetch one by other means, and name the file with --source")
    taken.add(name)


def _named(archives: Sequence[Archive], url: str) -> Archive:
    """The published archive of that file name, from another place; or one of which nothing is known."""
    name = url_name(url)
    known = next((one for one in archives if one.name == name), Archive(url=url, bytes=None, digest=""))
    return replace(known, url=url)


def fetch(archive: Archive, folder: Path, progress: Progress, access: Access = ACCESS) -> Path:
    """The archive in `folder`, fetched if it is not there yet.

    Raises:
        FetchError: the server cannot be reached, refuses, sends something else, or keeps breaking off.
        OutputError: `folder` has no room, cannot be written, or another process is fetching the same into it.
    """
    return _kept(offered(archive), folder, progress, access.patience, None)


def fetch_dataset(
    dataset_id: str, folder: Path, progress: Progress, access: Access, taken: set[str] | None = None
) -> Path:
    """The archive of a dataset at Mozilla Data Collective, fetched if it is not there yet; then nobody is asked.

    Raises:
        UsageError: the id or the key is none, or its name is among those `taken`.
        FetchError, OutputError: as `fetch`, and what `collective.offer` raises.
    """
    collective.check_id(dataset_id)
    note = folder / f"mdc-{dataset_id}.json"
    with suppress(OSError, DataError, KeyError):
        known = unseal(note.read_bytes(), note)
        if accepted(folder / known["name"], known["identity"]):
            _take(known["name"], taken if taken is not None else set())
            return folder / str(known["name"])

    def renewed() -> Offer:
        return collective.offer(dataset_id, access.mdc_key, access.mdc_api, access.patience)

    offer = renewed()
    _take(offer.name, taken if taken is not None else set())
    path = _kept(offer, folder, progress, access.patience, renewed)
    write_whole(note, seal({"name": offer.name, "identity": offer.identity}))
    return path


def _kept(offer: Offer, folder: Path, progress: Progress, patience: Patience, renew: Renew | None) -> Path:
    """What is on `offer`, whole, in `folder` and with its record."""
    target = folder / offer.name
    if accepted(target, offer.identity) or _adopted(offer, target, progress):
        return target
    with opened(folder / f".{offer.name}.part") as partial:
        if accepted(target, offer.identity):  # another process was faster
            partial.remove()
            return target
        download(offer, partial, progress, patience, renew)
        sha256 = _checked(offer, partial, progress)
        # The record comes first, as an exception: it says nothing without its file, and a file without its record
        # would be fetched once more, by a process beside ours or after a power cut.
        with writing(target):
            target.unlink(missing_ok=True)
        write_record(target, offer.identity, [FileDigest(target.name, partial.size, sha256)], None)
        partial.become(target)
    return target


def _adopted(offer: Offer, target: Path, progress: Progress) -> bool:
    """Whether the published file itself is there without its record: put there by hand, or before a power cut."""
    try:
        size = target.stat().st_size
    except OSError:  # not there, or just being replaced by a process beside ours
        return False
    if not offer.digest or offer.bytes not in (None, size):
        return False
    algorithm, _, expected = offer.digest.partition(":")
    found = _digests(target, offer, algorithm, progress)
    if found[algorithm] != expected:
        return False
    write_record(target, offer.identity, [FileDigest(target.name, size, found["sha256"])], None)
    return True


def _checked(offer: Offer, partial: Partial, progress: Progress) -> str:
    """The sha256 of what has arrived.

    Raises:
        FetchError: the digest is not the published one; what arrived is thrown away.
    """
    algorithm, _, expected = (offer.digest or "sha256:").partition(":")
    partial.sync()
    found = _digests(partial.path, offer, algorithm, progress)
    if expected and found[algorithm] != expected:
        partial.clear()
        raise FetchError(
            f"{shown(offer.url)} has {algorithm} {found[algorithm]}, published is {expected}: not kept; "
            "type the same command again, or use --source with a file you have"
        )
    return found["sha256"]


def _digests(path: Path, offer: Offer, algorithm: str, progress: Progress) -> dict[str, str]:
    with writing(path):
        return digests(path, {algorithm, "sha256"}, f"checking {offer.name}", progress)
