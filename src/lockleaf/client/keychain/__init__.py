"""Keys of this device: in the system's keychain, in a file, or sealed under the account's password."""
