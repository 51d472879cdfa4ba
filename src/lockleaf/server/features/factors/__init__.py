"""Second factors: which there are, adding and removing them."""
