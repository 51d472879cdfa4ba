"""The encrypted store: records, their order, their history. Every door of the server leads here."""
