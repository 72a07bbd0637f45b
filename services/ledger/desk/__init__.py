"""What people may ask of the books and decide about them. No terminal, no HTTP."""
