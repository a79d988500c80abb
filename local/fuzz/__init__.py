"""Every parser of untrusted input as a function of bytes, and a fuzzer that looks for bytes which one cannot take."""
