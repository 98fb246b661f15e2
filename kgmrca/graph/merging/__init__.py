"""Graphs put together, by a hash join in files."""
