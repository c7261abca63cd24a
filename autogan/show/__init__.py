"""What a run has come to, as objects, words and tables, and displays that follow it on its way.

Knows nothing of workers, and writes no file: `autogan.report` draws pages, the command line prints.
"""
