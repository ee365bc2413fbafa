"""Where scans are worked on: in processes of this computer."""
