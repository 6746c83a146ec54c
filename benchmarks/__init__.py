"""What things cost: each figure beside its floor, measured in the same run; never a test of speed."""
