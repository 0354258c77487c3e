"""What consumes manifests and shards: batches, features, models, training, decoding, scoring.

The only place where torch is imported. Its modules are imported one by one, by those that need them.
"""
