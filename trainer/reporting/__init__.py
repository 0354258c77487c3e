"""What an evaluation found, for people to read."""
