"""Configuration files that are ready to run."""
