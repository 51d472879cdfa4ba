"""Every parser of bytes that somebody else made, fed with what nobody would make."""
