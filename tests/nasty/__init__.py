"""Hostile and degenerate inputs, played against the public interface: right, told, or clearly refused.

The inputs lie beside the project (``shared/nasty/nasty_inputs.py``) and are never copied; without
them these tests are skipped. ``python -m tests.nasty`` prints the table of right and wrong.
"""
