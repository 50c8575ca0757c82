"""The paper's comparison in simulation: encoders, each with policies of its own, on the same trials."""
