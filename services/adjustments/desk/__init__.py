"""What people may ask of adjustments, and decide."""
