"""What every metric says of its sample, and what the door out makes of the scenarios."""
