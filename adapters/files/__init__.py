"""Where the bytes of files are kept. So far: a folder, which replicas share by mounting it."""
