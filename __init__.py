"""Speech corpora in, trainable shards out. This file imports nothing: names live in the subpackages."""

__version__ = "0.1.0"
