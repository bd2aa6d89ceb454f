"""The demo: a simulated house with 400 days of past, whose devices are polled like real ones."""
