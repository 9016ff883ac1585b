"""The casino's side: the ledger, the games, the game sessions."""
