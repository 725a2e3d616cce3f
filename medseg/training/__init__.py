"""Handlers that MONAI's trainers need for resumable, reproducible runs."""
