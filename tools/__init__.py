"""What `dev.py` runs. Standard library only: these files work before anything is installed."""
