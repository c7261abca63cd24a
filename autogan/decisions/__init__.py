"""What a search decides, as pure functions of its record: the next training, early stops, the best.

Knows nothing of workers, of time on the clock, and of who carries the decisions out.
"""
