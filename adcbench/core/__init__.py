"""What everything may import: words (cells, measurements, tables), settings, errors, keys, the store."""
