"""What operators see of the running programs: metrics, traces, log lines."""
