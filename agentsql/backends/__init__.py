"""Database backends that a DATABASES entry can name as its ENGINE."""
