"""The component `mrca_relations`: which pairs are asked about, the network that answers, and its scores."""
