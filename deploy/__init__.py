"""Files for deployments: image, secrets, health check."""
