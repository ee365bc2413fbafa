"""What every layer shares: volumes and their geometry, labels, errors, configs, the method registry."""
