"""Long jobs: the work in shards, each of which is done once, whatever interrupts it."""
