"""A short year of chaos, the model beside the rules, and fuzz at the doors."""
