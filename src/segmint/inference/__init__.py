"""From a network, or whatever a method fitted, to labels of images of any size."""
