"""Who may do what in the portal, and what every answer carries."""
