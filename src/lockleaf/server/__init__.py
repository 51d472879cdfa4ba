"""The server: a store that orders, keeps and delivers what it cannot read."""
