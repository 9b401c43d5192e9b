"""What this device is and what state it is in, read under one injectable root.

Knows `proc`, `sys` and `etc`; does not know what is measured, and imports no runtime.
"""
