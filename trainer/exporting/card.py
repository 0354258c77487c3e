"""Card: a page about an exported model, for who finds it, in Markdown (README.md beside the files)."""

import json
from collections.abc import Iterator

from ...manifests.ctc import RATE
from .checking import Check
from .drafting import Draft
from .facts import INT8, Facts, Quantised

EXPLAINED = {
    "model.onnx": "float32, whole utterances",
    "model.stream.onnx": "float32, pieces of a stream",
    "model.int8.onnx": "8-bit weights, whole utterances",
    "model.int8.stream.onnx": "8-bit weights, pieces of a stream",
    "model.json": "the same facts as in the metadata, for runtimes that do not show those",
}
"""All files of an export but the card."""


def card(facts: Facts, files: list[Draft], check: Check, hours: float | None, measured: Quantised | None) -> str:
    """The page."""
    return "\n".join(
        [*_what(facts, hours), *_how_good(facts, check, measured), *_files(files), *_use(facts, files), *LAST]
    )


def _what(facts: Facts, hours: float | None) -> list[str]:
    name = {"deepspeech1": "DeepSpeech 1", "deepspeech2": "DeepSpeech 2"}[facts.model["name"]]
    way = "both ways, so that it needs the whole utterance" if facts.model["bidirectional"] else "forwards only"
    return [
        f"# {name}",
        "",
        f"A {name} that hears {way}. It writes {facts.alphabet.size - 1} characters:",
        "",
        f"    {json.dumps(''.join(facts.alphabet.characters), ensure_ascii=False)}",
        "",
        f"It takes sound of {RATE // 1000} kHz, mono, as float32 from -1 to 1. Its features (`{facts.features}`) are",
        "inside.",
        "",
        *_whence(facts, hours),
        "",
    ]


def _whence(facts: Facts, hours: float | None) -> Iterator[str]:
    if facts.origin:
        yield f"Its weights began as those of `{facts.origin['name']}`, sha256 `{facts.origin['sha256']}`."
    if facts.epoch:
        each = f", {hours:.2f} h of audio each" if hours else ""
        yield f"Trained by dsprep for {facts.epoch} epochs{each}, on data of digest `{facts.data[:16]}`."
    yield f"Made from checkpoint `{facts.checkpoint['name']}`, sha256 `{facts.checkpoint['sha256']}`."


def _how_good(facts: Facts, check: Check, measured: Quantised | None) -> list[str]:
    rows = ["## How good it is", ""]
    if facts.dev_wer is not None and facts.dev_cer is not None:
        rows += [f"- WER {facts.dev_wer:.2%}, CER {facts.dev_cer:.2%} on its dev data, of digest `{facts.dev[:16]}`."]
    rows += [
        f"- Of {check.clips} clips its log-probabilities are within {check.difference:.1e} of PyTorch's, and its "
        "greedy transcripts are the same."
    ]
    if measured:
        rows += [
            f"- {INT8}: WER {measured.wer_int8:.2%} where float32 has {measured.wer:.2%}, on {measured.utterances} "
            f"utterances of digest `{measured.data[:16]}`; log-probabilities within {measured.difference:.2g}."
        ]
    return [*rows, ""]


def _files(files: list[Draft]) -> list[str]:
    sizes = {draft.name: f"{len(draft.data) / 1e6:.1f} MB" for draft in files}
    rows = [f"| `{name}` | {sizes.get(name, '')} | {EXPLAINED[name]} |" for name in (*sizes, "model.json")]
    return ["## Files", "", "| file | size | what |", "|---|---|---|", *rows, ""]


def _use(facts: Facts, files: list[Draft]) -> list[str]:
    rows = [
        "## Use",
        "",
        "With dsprep, which needs onnxruntime for it and no PyTorch:",
        "",
        "    dsprep transcribe . a.wav",
    ]
    rows += [
        "",
        "From Python, with onnxruntime alone:",
        "",
        *_indented(PYTHON),
        "",
        "From Node.js: see examples/node of",
    ]
    rows += ["dsprep, which reads `model.json`.", ""]
    if not facts.whole_only:
        rows += STREAM_USE
    return rows


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.strip().splitlines()]


PYTHON = """
import json
import numpy as np
import onnxruntime
import soundfile

session = onnxruntime.InferenceSession("model.onnx")
facts = json.loads(session.get_modelmeta().custom_metadata_map["dsprep"])
samples, rate = soundfile.read("a.wav", dtype="float32")        # 16 kHz, mono
log_probs, steps = session.run(None, {"samples": samples[None], "lengths": np.array([len(samples)])})
blank, characters = facts["alphabet"]["blank"], facts["alphabet"]["characters"]
labels = log_probs[0, : steps[0]].argmax(1)
labels = labels[np.diff(labels, prepend=-1) != 0]               # repeats are one
print("".join(characters[one - (one > blank)] for one in labels if one != blank))
"""
"""What the card tells a reader to type; a test runs it."""

STREAM_USE = [
    "### Streams",
    "",
    "`model.stream.onnx` takes `samples`, `last` and what it handed on, and gives `log_probs`, `used` and what is to",
    "be handed on. Each input `NAME` of `feeding.state` comes out as `NAME_next`; at first it is all zeros, in the",
    "shape that is told there. Gather samples until there are `feeding.first`, later `feeding.next`; run it with",
    "`last` 0; let go of the first `used` of them, and keep the rest for the next time. At the end run it once more",
    "with `last` 1.",
    "",
]
LAST = ["## Licence", "", "To be said by who publishes it.", ""]
