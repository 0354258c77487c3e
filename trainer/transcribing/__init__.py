"""Any audio to text."""
