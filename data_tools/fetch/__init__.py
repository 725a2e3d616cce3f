"""Download public data sets: licence first, resumable, checked, unpacked without trusting the archive."""
