"""Sound: the door that all audio comes through, whatever its format, and how its promises are checked."""
