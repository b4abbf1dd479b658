"""The kinds of jobs that fill a table's cells, a file each."""
