"""What the verbs that train share: which scans, prepared and alike, the folder, who hears of it."""
