"""What people may ask of receivables, and decide: whose an unallocated payment is."""
