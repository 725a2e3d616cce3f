"""Exact algorithms on arrays: numpy and numba only, no torch, no MONAI."""
