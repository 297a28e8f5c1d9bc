"""Shell: the command line. Arguments in, one use case of ``sr.app``, exit code out."""
