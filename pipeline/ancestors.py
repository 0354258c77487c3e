"""Ancestors: the text and the filters of earlier importers, so that published sizes of sets can be compared.

    deepspeech-0.1    mozilla/DeepSpeech v0.1.1, bin/import_cv.py: raw text, not over 10 s, a 20 ms step a character
    deepspeech-0.9    mozilla/DeepSpeech v0.9.3, bin/import_cv2.py: cleaned text, the same two filters

Their importers of LibriSpeech, LDC93S1 and TED-LIUM had no filters at all, not even for empty texts. Their lengths
were those of sox, which keeps what the MP3 encoder put before the sound: 400 to 470 samples more than ours, so that a
clip at the bound may fall on its other side.
"""

from .screen import Rules

UNFILTERED = Rules(fit="none", empty=True)
ANCESTORS: dict[str, dict[str, tuple[str, Rules]]] = {
    "deepspeech-0.1": {
        "commonvoice": ("raw", Rules(max_seconds=10, fit="deepspeech", empty=True)),
        "librispeech": ("deepspeech-0.1", UNFILTERED),
        "ldc93s1": ("deepspeech-0.1", UNFILTERED),
    },
    "deepspeech-0.9": {
        "commonvoice": ("deepspeech-0.9", Rules(max_seconds=10, fit="deepspeech")),
        "librispeech": ("deepspeech-0.1", UNFILTERED),
        "ldc93s1": ("deepspeech-0.1", UNFILTERED),
    },
}
"""Name of a text profile, and rules, by ancestor and corpus."""
