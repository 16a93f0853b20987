"""The processes that do what takes time, memory or files from visitors."""
