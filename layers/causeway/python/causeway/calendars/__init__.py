"""Calendars and their slots at a tenant's CRM."""
