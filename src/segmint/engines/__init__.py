"""Many images over many processes: on this machine, or on the machines of a Ray cluster."""
