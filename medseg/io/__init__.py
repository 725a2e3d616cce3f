"""Reading and writing images with one geometry from reader to writer."""
