"""The version, alone in a module that imports nothing, so that building a wheel can read it."""

__version__ = "0.4.0"
