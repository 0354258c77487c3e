"""How far a text is from its reference."""
