"""Augmentation: training sound changed at random, drawn from (seed, epoch, id) and nothing else."""
