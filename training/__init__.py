"""How the shipped weights were made: scenes, real images, targets, the loop, and the scores."""
