"""Cards, collection, refunds, crashes in the middle of them."""
