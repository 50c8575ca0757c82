"""What analysis needs of training: image sources, teachers and feature stores."""
