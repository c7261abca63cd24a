"""The command line: flags, exit codes, and what is printed.

Knows nothing of how a command is carried out: `autogan.api` does, for Python alike.
"""
