"""What people look at: overlays, tables, reports."""
