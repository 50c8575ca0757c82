"""Episodes in the formats of other people's training code."""
