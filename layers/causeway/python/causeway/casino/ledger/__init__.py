"""Players' money: the wallet's calls, and the verifier of its rows."""
