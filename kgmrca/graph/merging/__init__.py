"""Merging graphs, by a hash join in files: a file for each job of it."""
