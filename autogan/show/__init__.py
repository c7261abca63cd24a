"""Results of runs as objects, words and tables, and displays that show progress.

Knows nothing about workers and writes no files: `autogan.report` draws pages, the command line
prints.
"""
