"""Mask R-CNN in 2D and 3D."""
