"""What a pretrained encoder is fine-tuned for, with labels: networks, losses and training; arrays only."""
