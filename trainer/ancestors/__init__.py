"""Ancestors: models that mozilla/DeepSpeech and deepspeech.pytorch have trained, as runs of ours."""
