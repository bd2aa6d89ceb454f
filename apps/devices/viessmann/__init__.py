"""The heat pump, through Viessmann's cloud. Start with ``client`` (asking) and ``features`` (reading)."""
