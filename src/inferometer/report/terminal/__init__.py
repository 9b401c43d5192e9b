"""Reports, tables and live displays for a terminal."""
