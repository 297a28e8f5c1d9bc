"""What keeps the service going: jobs, recovery, the audit trail, its condition."""
