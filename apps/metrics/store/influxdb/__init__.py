"""The InfluxDB v2 engine of the time-series store."""
