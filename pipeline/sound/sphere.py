"""SPHERE: NIST's file format, of TIMIT, TED-LIUM and most of what the Linguistic Data Consortium sells.

    NIST_1A
       1024                               bytes of this header, in seven columns
    channel_count -i 1                    field, type (i integer, r real, sN text of N bytes), value
    sample_count -i 110400                of each channel
    sample_n_bytes -i 2
    sample_byte_format -s2 01             01 little endian, 10 big endian
    sample_coding -s3 pcm                 or ulaw, alaw; `pcm,embedded-shorten-v2.00`: compressed by shorten
    end_head                              and blanks, to the end of the header

libsndfile reads such files only if the header has 1024 bytes, and other readers take compressed samples for
PCM, which is noise. So the header is read here, and libsndfile is given the bytes after it.

Layout: NIST Speech Header Resources 2.6, doc/sphere.doc.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .unreadable import Truncated, Unreadable

MAGIC = b"NIST_1A\n"
SHORTEN = b"ajkg"
"""What a stream by shorten begins with."""
LONGEST = 1 << 16
"""Bytes of a header; those in use have 1024 to a few thousand."""

_SUBTYPES = {
    ("pcm", 1): "PCM_S8",
    ("pcm", 2): "PCM_16",
    ("pcm", 3): "PCM_24",
    ("pcm", 4): "PCM_32",
    ("ulaw", 1): "ULAW",
    ("alaw", 1): "ALAW",
}
_ORDERS = {"01": "LITTLE", "10": "BIG"}
_SPELLINGS = {"mu-law": "ulaw", "mulaw": "ulaw", "a-law": "alaw", "linear": "pcm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sphere:
    """A SPHERE header."""

    begin: int
    """Bytes before the samples."""
    rate: int
    """Hz."""
    channels: int
    sample_bytes: int
    samples: int | None
    """Of each channel, as the header says; None if it does not."""
    endian: str
    """`LITTLE` or `BIG`, as libsndfile calls them."""
    coding: str
    """`pcm`, `ulaw` or `alaw`, as it would be if it were not compressed."""
    shorten: bool
    """Whether the samples are compressed by shorten."""

    @property
    def subtype(self) -> str:
        """libsndfile's name of the coding.

        Raises:
            Unreadable: it has none.
        """
        if (self.coding, self.sample_bytes) not in _SUBTYPES:
            raise Unreadable(f"SPHERE with {self.sample_bytes} bytes a sample of {self.coding}; {MEND}")
        return _SUBTYPES[self.coding, self.sample_bytes]

    def shorten_header(self) -> bytes:
        """A header that says that shorten's stream follows, which ffmpeg believes and some files leave out."""
        count = "" if self.samples is None else f"sample_count -i {self.samples}\n"
        coding = f"{self.coding},embedded-shorten-v2.00"
        text = (
            f"NIST_1A\n   1024\nchannel_count -i {self.channels}\nsample_rate -i {self.rate}\n{count}"
            f"sample_n_bytes -i {self.sample_bytes}\nsample_coding -s{len(coding)} {coding}\nend_head\n"
        )
        return text.encode().ljust(1024)


MEND = "convert it to WAV with NIST's w_decode or sph2pipe"


def sphere(head: bytes, first: bytes = b"") -> Sphere:
    """The header that `head` begins with; `first` are bytes of the samples, where they may betray shorten.

    Raises:
        Truncated: it is cut off.
        Unreadable: it is nonsense, or of a coding that nothing here reads.
    """
    begin = header_bytes(head)
    if begin > len(head):
        raise Truncated(f"its SPHERE header has {begin} bytes, and {len(head)} are there")
    fields = _fields(head[16:begin])
    coding, _, packing = str(fields.get("sample_coding", "pcm")).lower().partition(",")
    shorten = (first or head[begin : begin + 4])[:4] == SHORTEN or "shorten" in packing or coding == "shorten"
    if packing and not shorten:
        raise Unreadable(f"SPHERE packed by {packing!r}; {MEND}")
    coding = "pcm" if coding == "shorten" else _SPELLINGS.get(coding, coding)
    if coding not in ("pcm", "ulaw", "alaw"):
        raise Unreadable(f"SPHERE of coding {coding!r}; {MEND}")
    if str(fields.get("channels_interleaved", "TRUE")).upper() == "FALSE" and fields.get("channel_count", 1) != 1:
        raise Unreadable(f"SPHERE with one channel after the other; {MEND}")
    width = _count(fields, "sample_n_bytes", 1 if coding != "pcm" else 2, 8)
    order = str(fields.get("sample_byte_format", "1" if width == 1 else ""))
    if width > 1 and order not in _ORDERS and not shorten:
        raise Unreadable(f"SPHERE with sample_byte_format {order!r}: 01 and 10 are known; {MEND}")
    return Sphere(
        begin=begin,
        rate=_count(fields, "sample_rate", None, 1 << 20),
        channels=_count(fields, "channel_count", 1, 1024),
        sample_bytes=width,
        samples=_count(fields, "sample_count", None, 1 << 48, least=0) if "sample_count" in fields else None,
        endian=_ORDERS.get(order, "LITTLE"),
        coding=coding,
        shorten=shorten,
    )


def header_bytes(head: bytes) -> int:
    """How long the header is, by its second line.

    Raises:
        Unreadable: that is no length that a header can have.
    """
    said = head[8:16].strip()
    if not said.isdigit() or not 16 < int(said) <= LONGEST:
        raise Unreadable(f"its SPHERE header gives its own length as {said!r}")
    return int(said)


def _fields(text: bytes) -> Mapping[str, str | int | float]:
    """Fields by name. A text's length counts, for it may hold blanks."""
    fields: dict[str, str | int | float] = {}
    for line in text.decode("latin-1").split("\n"):
        name, _, rest = line.partition(" ")
        if name == "end_head":
            return fields
        kind, _, value = rest.partition(" ")
        try:
            if kind == "-i":
                fields[name] = int(value)
            elif kind == "-r":
                fields[name] = float(value)
            elif kind.startswith("-s"):
                fields[name] = value[: int(kind[2:])].strip()
        except ValueError as error:
            raise Unreadable(f"its SPHERE header has a line {line[:60]!r}") from error
    raise Unreadable("its SPHERE header has no end_head")


def _count(
    fields: Mapping[str, str | int | float], name: str, default: int | None, most: int, *, least: int = 1
) -> int:
    """A field that is a whole number; some writers give it as a real one."""
    value = fields.get(name, default)
    if isinstance(value, str | None) or value != value // 1 or not least <= value <= most:
        raise Unreadable(f"its SPHERE header gives {name} as {value!r}")
    return int(value)
