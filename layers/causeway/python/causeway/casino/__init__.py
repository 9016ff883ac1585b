"""The casino's side: the ledger, games, game sessions."""
