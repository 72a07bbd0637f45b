"""Whether the books are right: invariants, the hash chain, and figures computed again."""
