"""Datasets of other libraries: TensorFlow Datasets, and those of Hugging Face."""
