"""Running systems over images: cached, resumable, one output file per image."""
