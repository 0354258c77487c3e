"""Augment: training clips as they might have sounded elsewhere, drawn anew each epoch, and the same for ever."""

from .augmenter import Augmenter, Fits

__all__ = ["Augmenter", "Fits"]
