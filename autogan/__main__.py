"""``python -m autogan`` is ``autogan``."""

from autogan.cli import main

main()
