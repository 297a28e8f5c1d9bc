"""People, machines and agents: who they are, and how they show it."""
