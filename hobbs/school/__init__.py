"""The school's book for people: school.toml read, compared, published."""
