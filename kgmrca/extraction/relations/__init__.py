"""Relations between entities: pairs, features, networks, losses, calibration, the component `mrca_relations`."""
