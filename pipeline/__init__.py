"""What is done once for all corpora: fetch, read, convert, screen, commit, shard, verify."""
