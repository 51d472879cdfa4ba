"""The object store: where encrypted files lie. S3 and a folder behind one protocol, written and read by signed URLs."""
