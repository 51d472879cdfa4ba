"""What the server offers: one folder for each family of endpoints."""
