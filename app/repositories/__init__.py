"""The statements. Methods with domain names build them, `Repository` runs them, nobody here commits."""
