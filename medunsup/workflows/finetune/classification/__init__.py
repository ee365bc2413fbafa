"""Fine-tuning for classification: what the task does in its own way."""
