"""Exact algorithms on arrays: numpy, scipy and numba, no torch, no MONAI."""
