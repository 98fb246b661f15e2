"""Graphs as a page that a person reads in a browser."""
