"""What every request passes on its way to a route: recording, security headers, encodings, host names."""
