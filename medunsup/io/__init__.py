"""Files in and out; the only place where axes, units and data types are converted."""
