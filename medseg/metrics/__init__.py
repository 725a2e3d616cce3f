"""Topology, instance and pixel metrics: plain functions and MONAI Cumulative metrics."""
