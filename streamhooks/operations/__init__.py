"""What an operator does, by whichever door he comes: the command line and the admin API ask the same of the store."""
