"""What is handed on as a set: shipments, integrity lists, bundles for the years to come."""
