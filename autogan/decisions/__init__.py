"""A search's decisions, as pure functions of its record: next training, early stops, the best.

Independent of workers, of the clock, and of the code that carries the decisions out.
"""
