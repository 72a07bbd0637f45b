"""The rules of billing: facts, rates, prices, bills. Pure: standard library and fleet.money only."""
