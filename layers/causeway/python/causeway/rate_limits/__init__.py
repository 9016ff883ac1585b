"""Rate limits: how many requests a subject may make in each window, and what it has used."""
