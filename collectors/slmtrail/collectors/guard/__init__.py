"""Who asks, whether they may, and whether what passes may: decided before the model sees it."""
