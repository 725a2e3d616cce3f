"""Synthetic images with exact truth: seeded, any size, fast enough for tests."""
