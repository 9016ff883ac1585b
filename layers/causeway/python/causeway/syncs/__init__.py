"""Syncs of connections' data: asked for, queued, run by the provider's engine, and ended with what came of them."""
