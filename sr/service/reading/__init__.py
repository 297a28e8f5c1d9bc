"""What is there: documents, signatures, and what each person has to do."""
