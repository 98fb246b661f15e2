"""Graphs of statements: as networkx graphs and tables, counted, merged, validated."""
