"""What a person or a program can ask for: the verbs shared by HTTP and the command line."""
