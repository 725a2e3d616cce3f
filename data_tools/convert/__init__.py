"""From the formats that annotators and public data sets use to the folder layout, one format per file."""
