"""What Wikidata says: looked up over SPARQL, linked to, compared with."""
