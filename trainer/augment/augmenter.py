"""Augmenter: all that a config's [augment] does to training clips, as one function of (seed, epoch, clip).

    augmenter = Augmenter.of(config.augment, config.train.seed, cache, fits)
    loaded(data, batches, workers, augmenter.at(epoch))         sound: tempo, speed, reverb, noise, gain, in this order
    augmenter.mask(features_BTF, frames, ids, epoch)            features: SpecAugment

Whoever speaks faster, speaks so in a room, the room has its noise, and the microphone its gain. It holds nothing that
changes, and any thread may use it. Dev data never come near it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from torch import Tensor

from ...manifests import Sample
from ...pipeline.commit import digest_of
from ...pipeline.places import Cache
from ...pipeline.sound.audio import Pcm
from ..config import AugmentConfig
from .chance import Chance
from .masks import mask
from .reverb import reverberated
from .sounds import Sounds
from .tempo import require_sox, tempo
from .waves import Wave, faster, louder, mixed, saturated, stretch

Fits = Callable[[Sample, int], bool]
"""Whether the text of a clip would fit, if it were of so many samples."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Augmenter:
    """What changes clips."""

    config: AugmentConfig
    seed: int
    fits: Fits
    noises: Sounds | None = None
    rooms: Sounds | None = None

    @classmethod
    def of(
        cls, config: AugmentConfig, seed: int, cache: Cache | None = None, fits: Fits = lambda sample, length: True
    ) -> Self:
        """The augmenter of a config, with all that it needs at hand.

        Raises:
            MissingExtraError: the tempo is to change, and sox or pysox is not installed.
            DataError: the noises or impulse responses are no data, or none, or a file of theirs is gone.
            FetchError, UsageError, OutputError: they are behind a URL and cannot be had.
        """
        if config.tempo:
            require_sox()
        return cls(
            config=config,
            seed=seed,
            fits=fits,
            noises=Sounds.of("augment.noise", config.noise, cache) if config.noise else None,
            rooms=Sounds.of("augment.reverb", config.reverb, cache) if config.reverb else None,
        )

    @property
    def digest(self) -> str:
        """Of the noises and impulse responses, wherever they lie; empty for none."""
        used = {one.key: one.digest for one in (self.noises, self.rooms) if one}
        return digest_of(used) if used else ""

    def at(self, epoch: int) -> Callable[[Sample, Pcm], Pcm] | None:
        """What changes the sound of clips in an epoch; None if nothing does."""
        one = self.config
        any_of = (one.tempo, one.speed, self.rooms, self.noises, *one.gain)
        return partial(self.change, epoch=epoch) if any(any_of) else None

    def longest(self, samples: int) -> int:
        """The most samples that a clip of so many can become."""
        for most in (self.config.tempo, self.config.speed):
            samples = int(samples / (1 - most)) + 2 if most else samples
        return samples

    def change(self, sample: Sample, pcm: Pcm, epoch: int) -> Pcm:
        """A clip's sound in an epoch, in an array of its own.

        Raises:
            DataError, FetchError: a noise or impulse response cannot be read.
            TrainingError: sox failed.
        """
        chance, config = Chance(seed=self.seed, epoch=epoch, id=sample.id), self.config
        wave = self._paced(sample, pcm, chance)
        if self.rooms and chance.share("reverb") < config.reverb_share:
            wave = reverberated(wave, self.rooms.drawn(chance))
        if self.noises and chance.share("noise") < config.noise_share:
            noise = stretch(self.noises.drawn(chance), len(wave), chance.share("noise place"))
            wave = mixed(wave, noise, chance.between("snr", *config.noise_snr))
        return saturated(louder(wave, chance.between("gain", *config.gain)))

    def mask(self, features_BTF: Tensor, frames: list[int], ids: list[str], epoch: int) -> Tensor:
        """The features of clips in an epoch, with masks laid over them in place."""
        return mask(features_BTF, frames, ids, self.config, self.seed, epoch)

    def _paced(self, sample: Sample, pcm: Pcm, chance: Chance) -> Wave:
        """The clip at a drawn tempo and speed; a change that its text would not fit is not made."""
        if most := self.config.tempo:
            changed = tempo(pcm, chance.between("tempo", 1 - most, 1 + most))
            pcm = changed if self._holds(sample, len(changed)) else pcm
        wave = pcm.astype(np.float32)
        if most := self.config.speed:
            other = faster(wave, chance.between("speed", 1 - most, 1 + most))
            wave = other if self._holds(sample, len(other)) else wave
        return wave

    def _holds(self, sample: Sample, length: int) -> bool:
        return length > 0 and self.fits(sample, length)
