"""A simulated home behind the real protocols, for tests, `simulate` and the demo."""
