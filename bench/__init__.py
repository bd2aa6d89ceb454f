"""``python -m bench``: how fast heatmon's store and pages are on years of data."""
