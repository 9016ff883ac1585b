"""Facebook Ads: code of the platform."""
