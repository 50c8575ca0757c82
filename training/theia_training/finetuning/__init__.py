"""Fine-tuning an encoder on frames of recorded episodes."""
