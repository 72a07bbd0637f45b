"""What people may read in the books and decide about them. No terminal, no HTTP."""
