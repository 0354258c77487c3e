"""Cloud: data behind URLs, read by ranges through a cache that checks digests, and shards written there."""
