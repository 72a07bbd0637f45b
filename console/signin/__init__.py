"""How people get in: by the identity provider; on one's own machine by the link that `make up` prints."""
