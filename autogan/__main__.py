"""``python -m autogan`` is ``autogan``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C during the import is not an error either."""
    try:
        from autogan.cli.main import main as run

        run()
    except KeyboardInterrupt:
        print("autogan: stopped", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
