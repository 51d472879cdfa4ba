"""Between what is sealed in an entry and the forms in which entries travel."""
