"""Documents to convert, and annotated corpora to train on and to score with."""
