"""Widgets about access: people, one's own account, sharing of a project, the audit."""
