"""The page: a server for browsers, whose pixels are worked on in processes of their own."""
