"""Shell: the service over HTTP, as an API and as pages."""
