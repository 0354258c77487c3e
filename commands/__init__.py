"""Commands: what a user types, a file a verb or a family of verbs, and what they share. `dsprep.cli` lists them.

Options in, one library call, what it returned printed: results to standard output, everything else to standard error.
Nothing heavy is imported before a command needs it, so that `dsprep --help` is instant.
"""
