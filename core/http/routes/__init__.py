"""Route functions by subject: each module has a ``router`` that ``core.http.app`` includes."""
