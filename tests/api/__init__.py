"""The API `/api/v1` and the webhooks that go out, asked over HTTP."""
