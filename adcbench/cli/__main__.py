"""``python -m adcbench.cli``."""

from adcbench.cli import main

if __name__ == "__main__":
    main()
