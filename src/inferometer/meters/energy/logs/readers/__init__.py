"""One file for each format of logs; `formats` lists them."""
