"""The pages for whoever runs the app: how fast it is, what it got done, whether it is well."""
