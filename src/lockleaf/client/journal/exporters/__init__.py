"""Taking the journal out in plain text, in formats that other programs read and that an import takes back."""
