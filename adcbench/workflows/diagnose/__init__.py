"""Why does a printed value come out otherwise? Folders scored in every known way, or effects measured before."""
