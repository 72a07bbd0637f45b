"""Reading a file of opening balances."""
