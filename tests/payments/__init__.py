"""The payment adapter on the sandbox provider, or on Stripe's test mode."""
