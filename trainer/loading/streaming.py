"""Streaming: shards read from end to end through webdataset, without an index and so without a plan.

    for batch in spoken(stream, config, 0, usable(alphabet, features, model), on_notice):
        batch.pcm_BN        int16: clips of like length, zeros past the end of each

Axes: B clips, N samples. The order of shards and the shuffling in a buffer are drawn from (seed, epoch). What a stream
cannot give is in docs/loading.md: a place to go on from, the number of its steps, equal shares for several processes.

Of webdataset are the list of shards, the splitters, the grouping by keys and the shuffling. Tars are opened and
proved whole by dsprep: webdataset's own opener runs what a `pipe:` URL says in a shell, and its own reader takes a tar
that was cut off for a short one.
"""

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...manifests import ID, Alphabet, DataError, Sample, TrainingError, UsageError, cleaned, ctc, silent, size_text
from ...pipeline.archive import content, members, open_tar
from ...pipeline.commit import digest_of, file_size
from ...pipeline.hashing import draw
from ...pipeline.places import Place, Url
from ...pipeline.screen import Reason, Rules, unheard
from ...pipeline.shards.foreign import tars_in
from ...pipeline.shards.foreign_sample import Refused, Told, spelt, split, told
from ...pipeline.sound.audio import Unreadable, decode
from ..config import Config
from ..features import Features
from ..models import Model
from .batches import Change, Loaded
from .gathering import Clip, gathered

SHUFFLED = 1000
"""Samples in the buffer that shuffles them, as they lie in the tars: 1000 clips of 10 s in FLAC are some 150 MB."""
SHOWN = 5
"""Samples that were left out, to be named."""

Usable = Callable[[str, int], Refused | None]
"""Transcript and samples of a clip to why it cannot be trained on, or None if it can."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """Tars to be trained on as they come."""

    tars: tuple[Path, ...]
    bytes: int
    digest: str
    """Of their names and sizes: what is in them is not looked at beforehand."""

    @property
    def summary(self) -> str:
        """What it is, in a few words."""
        return f"a stream of {len(self.tars)} shards, {size_text(self.bytes)}"


@dataclass(slots=True)
class Tally:
    """What became of the samples of an epoch: each is used or left out."""

    used: int = 0
    left: Counter[Reason] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    def leave(self, key: str, refused: Refused) -> None:
        """Count a sample that cannot be used; the first few are kept, to be told."""
        self.left[refused[0]] += 1
        if len(self.first) < SHOWN:
            self.first.append(f"{key}: {refused[1]}")

    def __str__(self) -> str:
        if not self.left:
            return f"{self.used} samples of the stream used"
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.left.items()))
        first = "; ".join(self.first)
        return f"{self.used} samples of the stream used, {self.left.total()} left out ({reasons}), first {first}"


def open_stream(places: Sequence[Place]) -> Streamed:
    """The shards at `places`: tars, folders of tars, `dir/{000000..000145}.tar`; none is read.

    Raises:
        DataError: a place is none of these, or is not there.
    """
    tars: list[Path] = []
    for place in places:
        if isinstance(place, Url):
            raise UsageError(
                f"{place}: only tars on this machine can be streamed; name shards of dsprep's without --stream"
            )
        if (found := tars_in(place)) is None:
            raise DataError(f"{place} holds no tars to stream: name a tar or a folder of tars, or leave out --stream")
        tars += found
    for tar, count in Counter(tar.resolve() for tar in tars).items():
        if count > 1:
            raise DataError(f"{tar} is named {count} times: name each tar once, for each is trained on once an epoch")
    sizes = [file_size(tar) for tar in tars]
    if (gone := next((tar for tar, size in zip(tars, sizes, strict=True) if size is None), None)) is not None:
        raise DataError(f"there is no shard {gone}")
    named = [[tar.name, size] for tar, size in zip(tars, sizes, strict=True)]
    return Streamed(tuple(tars), sum(size or 0 for size in sizes), digest_of(["stream", named]))


def usable(alphabet: Alphabet, features: Features, model: Model) -> Usable:
    """What tells of a clip whether a model can be trained on it: of planned data that is known beforehand."""
    rules = Rules(alphabet="".join(alphabet.characters), fit="none")

    def refuse(transcript: str, samples: int) -> Refused | None:
        if refused := rules.reject(unicodedata.normalize("NFC", transcript), samples):
            return refused
        steps, needed = model.steps(features.frames(samples)), ctc.needed(alphabet.encode(transcript))
        return (Reason.TOO_FAST, f"{steps} steps for {needed} labels: {transcript[:60]!r}") if steps < needed else None

    return refuse


def spoken(
    stream: Streamed,
    config: Config,
    epoch: int,
    refuse: Usable,
    on_notice: Callable[[str], None],
    change: Change | None = None,
) -> Generator[Loaded]:
    """The batches of an epoch, within the bounds of `config.batch`, each made while the one before is worked on.

    `change` is done to each clip that can be used, before clips of like length are gathered.

    At its end, what became of the samples is told: each was used or left out.

    Raises:
        SourceError: a tar is cut off or damaged.
        DataError: a tar has two members of one name in a sample.
        TrainingError: no sample could be used.
    """
    tally, chance = Tally(), random.Random(draw(config.train.seed, epoch, "stream"))
    clips = _clips(_samples(stream.tars, chance), refuse, tally, change)
    batches = gathered(clips, config.batch, chance)
    with ThreadPoolExecutor(1, "streaming") as thread:
        coming = thread.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, batches, None)
            yield batch
    if not tally.used:
        raise TrainingError(f"nothing in the stream can be trained on: {tally}")
    on_notice(f"epoch {epoch + 1}: {tally}")


def _samples(tars: Sequence[Path], chance: random.Random) -> Iterator[dict[str, Any]]:
    """The samples of all tars as webdataset has them, shuffled: bytes by extension, `__key__`, `__url__`."""
    from webdataset.filters import shuffle
    from webdataset.shardlists import SimpleShardList, split_by_node, split_by_worker
    from webdataset.tariterators import group_by_keys

    shards = SimpleShardList([str(tar) for tar in tars], seed=chance.getrandbits(64))
    files = _members(split_by_worker(split_by_node(iter(shards))))
    groups = group_by_keys(files, keys=lambda name: split(name) or (None, None), handler=_doubled)
    yield from shuffle(SHUFFLED, rng=chance)(iter(groups))


def _members(shards: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The files of each tar, then `{}`, which ends a sample; what `webdataset.tar_file_expander` does, with proof."""
    for shard in shards:
        path = Path(shard["url"])
        with open_tar(path, "", silent) as (tar, stream):
            for member in members(tar, stream, path):
                if member.isreg():
                    yield {"fname": spelt(member.name), "data": content(tar, member).read(), "__url__": shard["url"]}
        yield {}


def _doubled(error: Exception) -> bool:
    raise DataError(f"{error.args[0]}: without --stream, dsprep lists what cannot be used, and goes on") from error


def _clips(samples: Iterable[dict[str, Any]], refuse: Usable, tally: Tally, change: Change | None) -> Iterator[Clip]:
    for sample in samples:
        made = _clip(sample, refuse)
        if isinstance(made, Clip):
            tally.used += 1
            yield Clip(made.sample, change(made.sample, made.pcm)) if change else made
        else:
            tally.leave(sample["__key__"], made)


def _clip(sample: dict[str, Any], refuse: Usable) -> Clip | Refused:
    key, url = sample["__key__"], sample["__url__"]
    found = told(key, [name for name in sample if not name.startswith("__")], sample.__getitem__)
    if not isinstance(found, Told):
        return found
    try:
        pcm = decode(sample[found.audio])
    except Unreadable as error:
        return unheard(error), str(error)
    if refused := refuse(found.transcript, len(pcm)):
        return refused
    name = key if ID.fullmatch(key) else cleaned(key)[-80:] or "clip"
    size = len(sample[found.audio])
    return Clip(Sample(id=name, path=Path(url), size=size, transcript=found.transcript), pcm)
