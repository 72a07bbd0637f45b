"""What happens inside one transaction: lock, decide, write, stage. The caller opens and commits it."""
