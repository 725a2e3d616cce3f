"""Inferers: how a network sees an image larger than itself."""
