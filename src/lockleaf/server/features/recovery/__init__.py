"""Recovery codes: how many are left, new ones, and coming back with one."""
