"""The encrypted store: records, their order, their history. Every endpoint that writes records leads here."""
