"""FedEx: code of the platform."""
