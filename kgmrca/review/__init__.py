"""What persons decide about the statements of a graph."""
