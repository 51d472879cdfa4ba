"""The endpoints of sign-up, login, sessions, credentials and recovery."""
