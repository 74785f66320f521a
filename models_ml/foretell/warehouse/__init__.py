"""The warehouse as Python sees it: SQL in, Arrow out; an implementation per engine."""
