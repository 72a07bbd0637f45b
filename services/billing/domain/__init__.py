"""The rules of billing: facts, rates, terms, prices, bills. Pure: standard library and fleet.money only."""
