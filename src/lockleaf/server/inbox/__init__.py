"""What arrived while the keys were away, sealed to the account (PROTOCOL section 8)."""
