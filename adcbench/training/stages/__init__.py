"""The stages of training: a folder for each paper, a file for each stage."""
