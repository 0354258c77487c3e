"""Log-probabilities to text. Needs no torch."""
