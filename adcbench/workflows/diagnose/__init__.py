"""Why does a printed value come out otherwise? Folders scored in every way that is known, or effects measured before."""
