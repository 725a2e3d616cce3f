"""medseg: segment cells and organs with MONAI, and measure whether the topology is right."""

__version__ = "0.1.0"
