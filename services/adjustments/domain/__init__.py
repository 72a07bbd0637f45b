"""The rules of adjustments: states, differences, policy. Pure."""
