"""Both vendors through a server that gives their answers another form."""
