"""Graphs of statements: merging, counting and validating them, and writing them in other forms."""
