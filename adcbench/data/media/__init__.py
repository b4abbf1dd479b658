"""Files with pixels in them: images, pictures as people have them, clips and videos; joined by name."""
