"""Get, convert, synthesise, split and check training data in one folder layout."""
