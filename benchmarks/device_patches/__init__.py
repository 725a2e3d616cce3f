"""Training patches drawn, deformed and recoloured on the device, a batch at a time."""
