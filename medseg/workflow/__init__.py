"""Run a bundle's own configuration: predict image by image, train in a run folder."""
