"""Ids in the examples of the API's document that several models show. The local stack makes the objects of some."""

# A person: the sub claim of the person's tokens.
SUBJECT = "9a1f7c52-0b7e-4f6b-8a56-3c1d5e2f7a90"
# An object of ours, such as a connection.
OBJECT_ID = "3f2b8c9e-5d1a-4e7b-9c6f-0a1b2c3d4e5f"
# The first tenant.
TENANT_ID = "00000000-0000-4000-8000-000000000001"
# A connection of the first tenant, which the local stack makes.
CONNECTION_ID = "00000000-0000-4000-8000-00000000c001"
# A tenant's own id of a connection.
EXTERNAL_ID = "front-desk-7"
# A call to this API.
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41"
# A casino, at its game providers.
TENANT_CODE = "JAQPOT"
# A location at a platform, and its calendar.
LOCATION_ID = "ve9EPM428h8vShlRW1KT"
CALENDAR_ID = "BqTwX8QFwXzpegMve9EQ"
# A session at the game provider.
PROVIDER_SESSION_ID = "788b3ad9-daf4-40ad-84df-fafcaa277285"
