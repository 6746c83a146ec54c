"""The forecast, and the year as it then really goes."""
