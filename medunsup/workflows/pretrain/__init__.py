"""`pretrain`: from scans or images without labels to an encoder folder."""
