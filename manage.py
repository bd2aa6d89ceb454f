#!/usr/bin/env python
"""heatmon's command line."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")
    import django
    from django.core.management import execute_from_command_line

    django.setup()
    from heatmon.database import prepare, told_in_a_sentence

    try:
        with told_in_a_sentence():
            prepare(sys.argv)
            execute_from_command_line(sys.argv)
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
