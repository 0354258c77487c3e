"""The log spectrograms of deepspeech.pytorch: log(1 + magnitude), then mean 0 and standard deviation 1.

    release      window     samples              here
    v1.0 - v1.2  symmetric  from -2^31 to 2^31   log-spectrogram-1.0
    v2.0         symmetric  int16 / 32767        log-spectrogram-2.0
    V2.1         periodic   int16 / 32767        log-spectrogram, whose numbers are within 1e-4
    V3           periodic   int16 / 32768        log-spectrogram
    ours         periodic   int16 / 32768        log-spectrogram-live, without mean 0 and deviation 1

Because of the 1 in the logarithm, the scale of the samples matters. torchaudio of 2017 left them as sox has them,
16 bits at the top of 32; version 2.0's pull request 208 (July 2018) asked it for numbers from -1 to 1.
"""

import torch
from torch import Tensor

from ...manifests import ctc
from ...manifests.ctc import RATE
from ..sliding import slid
from .framing import Features, Held, power, standardise, valid


class LogSpectrogram(Features):
    """161 bins each 10 ms: Hamming window of 20 ms, centred, with reflected edges (loader/data_loader.py).

    `periodic` says which Hamming window, `scale` by what samples from -1 to 1 are multiplied first. The deviation is
    that of n - 1, over the whole utterance.
    """

    WINDOW = RATE * 20 // 1000
    HOP = ctc.HOP
    size = WINDOW // 2 + 1

    def __init__(self, periodic: bool = True, scale: float = 1.0) -> None:
        super().__init__()
        self.window_N: Tensor
        # What is linear may be done to the window, once, instead of to the samples.
        window_N = torch.hamming_window(self.WINDOW, periodic=periodic, dtype=torch.float64) * scale
        self.register_buffer("window_N", window_N.float(), persistent=False)

    def frames(self, samples: int) -> int:
        """One each 10 ms, at both ends."""
        return ctc.spectrogram_frames(samples)

    def made(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        log_BTF = self._log(_reflect(samples_BN, lengths, self.WINDOW // 2), max(frames))
        valid_BT1 = valid(frames, log_BTF)
        return standardise(log_BTF, valid_BT1[:, :, 0], correction=1).mul_(valid_BT1)

    def _log(self, padded_BN: Tensor, frames: int | None = None) -> Tensor:
        spectrum_BFT = torch.stft(
            padded_BN, self.WINDOW, self.HOP, window=self.window_N, center=False, return_complex=True
        )
        return power(spectrum_BFT[:, :, :frames]).sqrt_().log1p_().transpose(1, 2)


class LiveLogSpectrogram(LogSpectrogram):
    """The same without mean 0 and standard deviation 1, so that a frame needs no more than its window."""

    def made(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        log_BTF = self._log(_reflect(samples_BN, lengths, self.WINDOW // 2), max(frames))
        return log_BTF.mul_(valid(frames, log_BTF))

    def begin(self, utterances: int = 1) -> Held:
        """Nothing; the mirrored edge comes before the first samples once there are enough."""
        none_BN = self.window_N.new_zeros(utterances, 0)
        return Held(samples_BN=none_BN, near_BCT=none_BN[:, None])

    def carry(self, samples_BN: Tensor, state: Held, last: bool) -> tuple[Tensor, Held]:
        """The frames whose windows have come, once there is a whole edge to mirror.

        A sample before each window is held too: the end of the last may be mirrored up to it.
        """
        edge, come = self.WINDOW // 2, state.come + samples_BN.shape[1]
        held_BN = torch.cat([state.samples_BN, samples_BN], 1)
        made_BTF = held_BN.new_zeros(len(held_BN), 0, self.size)
        if come > edge:
            if state.come <= edge:
                held_BN = torch.cat([held_BN[:, :1], held_BN[:, 1 : edge + 1].flip(1), held_BN], 1)
            if last:
                held_BN = torch.cat([held_BN, held_BN[:, -edge - 1 : -1].flip(1)], 1)
            covered_BN, held_BN = slid(held_BN, 1 + self.WINDOW, self.HOP)
            if covered_BN.shape[1]:
                made_BTF = self._log(covered_BN[:, 1:])
        elif last and come:
            made_BTF, _ = self(held_BN, [come] * len(held_BN))
        return made_BTF, Held(samples_BN=held_BN, come=come, near_BCT=state.near_BCT)


def _reflect(samples_BN: Tensor, lengths: list[int], pad: int) -> Tensor:
    """Each utterance with `pad` samples mirrored at both of its own ends; what comes after that belongs to no frame."""
    count, size = samples_BN.shape
    last_B1 = torch.tensor(lengths, device=samples_BN.device)[:, None] - 1
    step_P = torch.arange(1, pad + 1, device=samples_BN.device)
    padded_BN = samples_BN.new_zeros(count, size + 2 * pad)
    padded_BN[:, pad : pad + size] = samples_BN
    padded_BN[:, :pad] = _folded(samples_BN, -step_P.flip(0), last_B1)
    padded_BN.scatter_(1, last_B1 + pad + step_P, _folded(samples_BN, last_B1 + step_P, last_B1))
    return padded_BN


def _folded(samples_BN: Tensor, position_BP: Tensor, last_B1: Tensor) -> Tensor:
    """The samples that lie mirrored at these positions; 0 where an utterance is too short to be mirrored so far."""
    folded_BP = last_B1 - (last_B1 - position_BP.abs()).abs()
    return samples_BN.gather(1, folded_BP.clamp(min=0)) * (folded_BP >= 0)
