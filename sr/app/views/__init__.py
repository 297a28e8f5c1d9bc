"""Documents as people see them: lines, pages, paper."""
