"""Networks written here, because no package ships them. Knows no reference and no input."""
