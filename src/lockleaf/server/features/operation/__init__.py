"""What an operator and an orchestrator ask: alive, ready, how much."""
