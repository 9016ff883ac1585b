"""One local server that plays every platform of the catalogue: its test call, its credentials, its errors."""
