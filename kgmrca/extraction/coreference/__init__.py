"""Who is who: which mentions of a document mean the same."""
