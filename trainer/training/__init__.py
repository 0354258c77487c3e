"""Training: one run, from its first step to its last, over as many processes and interruptions as it takes."""
