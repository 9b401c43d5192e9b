"""From one machine to a shelf of boards: sends jobs over SSH, and collects what they measured.

Knows boards, jobs and leases; does not know how anything is measured or shown.
"""
