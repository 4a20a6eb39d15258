"""Memories: list, page, export and the recall debugger."""
