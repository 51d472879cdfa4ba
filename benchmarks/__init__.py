"""Every claim of speed is a program here, which prints its figures beside a baseline in the same run."""
