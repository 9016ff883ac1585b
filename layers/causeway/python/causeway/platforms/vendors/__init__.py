"""Code that several platforms of one vendor share; a vendor is not a platform, so the registry does not look here."""
