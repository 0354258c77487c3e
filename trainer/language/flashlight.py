"""Flashlight: what is used of flashlight-text, whose modules tell type checkers nothing. Imported by searches alone.

It has KenLM within it. Call `kenlm.require` before this is imported: the package is an extra.
"""

from flashlight.lib.text.decoder import (  # type: ignore[attr-defined]
    LM,
    CriterionType,
    LexiconDecoder,
    LexiconDecoderOptions,
    LexiconFreeDecoder,
    LexiconFreeDecoderOptions,
    LMState,
    SmearingMode,
    Trie,
    ZeroLM,
)
from flashlight.lib.text.decoder.kenlm import KenLM  # type: ignore[attr-defined]
from flashlight.lib.text.dictionary import Dictionary  # type: ignore[attr-defined]

__all__ = [
    "LM",
    "CriterionType",
    "Dictionary",
    "KenLM",
    "LMState",
    "LexiconDecoder",
    "LexiconDecoderOptions",
    "LexiconFreeDecoder",
    "LexiconFreeDecoderOptions",
    "SmearingMode",
    "Trie",
    "ZeroLM",
]
