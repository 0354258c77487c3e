"""Vocabulary: words by number, in the order in which they were met.

0 <unk>    1 <s>    2 </s>    3 eight    4 nine ...
"""

UNKNOWN, BEGIN, END = 0, 1, 2
SPECIAL = ("<unk>", "<s>", "</s>")


class Vocabulary(dict[str, int]):
    """The number of each word; a new word gets the next."""

    def __init__(self) -> None:
        super().__init__((word, number) for number, word in enumerate(SPECIAL))

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number
