"""Remembers: tables, the engine, the writer, the unit of work and one file per thing stored."""
