"""The endpoints of the account itself: its profile, and its end."""
