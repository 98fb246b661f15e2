"""What reads a text: words as vectors, and layers over them that every component may use."""
