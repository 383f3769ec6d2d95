"""Configuration of collectors, so that every record carries its application from the start.

`plan` turns applications into streams, which is all that a generator knows; `registry` has the
generators. A generator is a pure function from a plan to files.
"""
