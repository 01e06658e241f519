"""What the routes take and answer, as pydantic models: queries come in, rows, states and metrics go out."""
