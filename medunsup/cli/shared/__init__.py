"""What the verbs of the command line share: options, settings, progress, errors, printing."""
