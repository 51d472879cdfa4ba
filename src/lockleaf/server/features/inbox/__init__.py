"""The sealed inbox: what arrives while keys are away waits here, readable to nobody but its account's devices."""
