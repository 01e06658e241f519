"""What a data folder survives: processes killed at random, at named points, by poison, or told to stop."""
