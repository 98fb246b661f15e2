"""Mentions of entities and their types."""
