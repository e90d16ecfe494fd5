"""Motion: what a driver does, recorded, stored, calibrated and carried over."""
