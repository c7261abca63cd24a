"""The process that trains, scores and draws: the only one that loads TensorFlow.

Knows nothing of other trials: it does as each message says, and reports what came of it.
"""
