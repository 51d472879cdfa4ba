"""How the server tells its operator what it does, without telling what its users write."""
