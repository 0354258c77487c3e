"""The order of training: which clips make which batch of an epoch. No torch, and nothing is read."""
