"""What each corpus looks like: one short module a corpus, and this table of them."""

from .corpus import Archive, Corpus, Part, TextFile
from .ldc93s1 import LDC93S1
from .librispeech import LIBRISPEECH

CORPORA = {corpus.name: corpus for corpus in (LDC93S1, LIBRISPEECH)}

__all__ = ["CORPORA", "Archive", "Corpus", "Part", "TextFile"]
