"""Long simulations compared with the truth: ``python -m tools.study``, written down in ``docs/study.md``."""
