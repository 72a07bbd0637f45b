"""How Hobbs is shipped: image, secrets, health check."""
