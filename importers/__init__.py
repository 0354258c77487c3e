"""What each corpus looks like: one short module a corpus, and this table of them."""

from .commonvoice import COMMONVOICE
from .corpus import TARS, Archive, AudioFiles, Corpus, Found, Part, Row, TextFile
from .ldc93s1 import LDC93S1
from .librispeech import LIBRISPEECH
from .stm import STM
from .tedlium import TEDLIUM1, TEDLIUM2, TEDLIUM3

CORPORA = {corpus.name: corpus for corpus in (COMMONVOICE, LDC93S1, LIBRISPEECH, STM, TEDLIUM1, TEDLIUM2, TEDLIUM3)}

__all__ = ["CORPORA", "TARS", "Archive", "AudioFiles", "Corpus", "Found", "Part", "Row", "TextFile"]
