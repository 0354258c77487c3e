"""Sound of any length to text: windows, batches, pieces, transcripts, subtitles. Needs no torch."""
