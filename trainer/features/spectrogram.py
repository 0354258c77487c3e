"""The log spectrograms of deepspeech.pytorch."""

import torch
from torch import Tensor

from ...manifests import ctc
from ...manifests.ctc import RATE
from .framing import Features, cut, standardise, valid


class LogSpectrogram(Features):
    """The 161 bins of deepspeech.pytorch V2.1 and later (loader/data_loader.py).

    Hamming window of 20 ms (periodic), every 10 ms, centred with reflected edges; log(1 + magnitude);
    then mean 0 and standard deviation 1 (n - 1) over the whole utterance, one number each.
    """

    WINDOW = RATE * 20 // 1000
    HOP = ctc.HOP
    size = WINDOW // 2 + 1

    def __init__(self) -> None:
        super().__init__()
        self.window_N: Tensor
        self.register_buffer("window_N", torch.hamming_window(self.WINDOW), persistent=False)

    def frames(self, samples: int) -> int:
        """One each 10 ms, at both ends."""
        return ctc.spectrogram_frames(samples)

    def made(self, samples_BN: Tensor, lengths: list[int], frames: list[int]) -> Tensor:
        padded_BN = _reflect(samples_BN, lengths, self.WINDOW // 2)
        frames_BTN = cut(padded_BN, self.WINDOW, self.HOP, max(frames))
        log_BTF = torch.fft.rfft(frames_BTN * self.window_N).abs().log1p()
        valid_BT1 = valid(frames, log_BTF)
        return standardise(log_BTF, valid_BT1, frames, correction=1)


def _reflect(samples_BN: Tensor, lengths: list[int], pad: int) -> Tensor:
    """Each utterance with `pad` samples mirrored at both of its own ends, zeros after that."""
    position_N = torch.arange(-pad, samples_BN.shape[1] + pad, device=samples_BN.device)
    last_B1 = torch.tensor(lengths, device=samples_BN.device)[:, None] - 1
    folded_BN = last_B1 - (last_B1 - position_N.abs()).abs()
    inside_BN = (position_N <= last_B1 + pad) & (folded_BN >= 0)
    return samples_BN.gather(1, folded_BN.clamp(min=0)) * inside_BN
