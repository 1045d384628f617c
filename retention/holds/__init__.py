"""Evidence holds: what people ask to be kept, from the request to the release."""
