"""What every command shares: output, connections, money, who is asking."""
