"""A store that several machines share: a schema of a PostgreSQL database, by its address."""
