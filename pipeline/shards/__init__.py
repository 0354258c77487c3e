"""Shards: webdataset tars, written, told of, verified, mended; and other people's."""
