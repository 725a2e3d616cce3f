"""MONAI transforms in array and dictionary form."""
