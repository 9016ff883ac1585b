"""The audit of the locked packages: known vulnerabilities of all of them, licences of those that are deployed."""
