"""What the page draws of images, labels, maps and strokes: small arrays and pictures."""
