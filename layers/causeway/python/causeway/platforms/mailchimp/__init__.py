"""Mailchimp: code of the platform."""
