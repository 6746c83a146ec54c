"""The license vendor: what we ask of it (`license_vendor`) and how it is reached (`http`)."""
