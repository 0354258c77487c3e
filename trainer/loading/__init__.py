"""From data to batches: samples known beforehand or streamed, and their sound, padded side by side."""
