"""Four people and their journals, made to be looked at."""
