"""Measurements of every spheroid, from its labels and the pixels of one channel. Formulas are contracts."""
