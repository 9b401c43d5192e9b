"""Choice of power sources: what there is on a device, and what the user names."""
