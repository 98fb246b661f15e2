"""Statements with provenance, and their RDF."""
