"""Tests, by what they need: nothing, one service on Postgres, the contracts, or the whole fleet."""
