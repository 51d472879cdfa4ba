"""What the server of an account holds of its user and can read, as it answers, beside what this device shows."""
