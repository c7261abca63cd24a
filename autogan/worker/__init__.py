"""The process that trains, scores and generates: the only one that loads TensorFlow.

It knows nothing of other trials: it carries out each call and reports the result.
"""
