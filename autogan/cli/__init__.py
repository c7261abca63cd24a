"""The command line: flags, exit codes, and printed results.

Knows nothing about the work behind a command: `autogan.api` does it, also for Python.
"""
