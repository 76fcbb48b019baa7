"""What travels over the wire, in and out."""
