"""Text -> entities and the relations between them, as spaCy components."""
