"""What both sides of a signed game call share: signatures, the game providers' secrets, the calls."""
