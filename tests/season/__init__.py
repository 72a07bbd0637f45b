"""A season of students' accounts: services in one process, and an independent calculation beside them."""
