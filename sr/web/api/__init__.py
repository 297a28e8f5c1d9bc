"""The API: a router a resource, thin over ``sr.service``."""
