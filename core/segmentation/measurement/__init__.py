"""What is measured of every spheroid, from its labels and the raw pixels. The formulas are contracts."""
