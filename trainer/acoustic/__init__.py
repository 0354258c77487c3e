"""Models that hear: sound to log-probabilities."""
