"""Profiles: the folders in which this device keeps accounts, and the private files in them."""
