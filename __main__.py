"""``python -m dsprep``: the same as the command ``dsprep``."""

from dsprep.cli import main

main()
