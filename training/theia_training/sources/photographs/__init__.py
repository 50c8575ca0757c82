"""Real photographs from packages that anyone can install, cut into training images."""
