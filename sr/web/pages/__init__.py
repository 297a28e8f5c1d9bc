"""The pages for people: a module a page, thin over ``sr.service``; all of it works without script."""
