"""What turns chunks into samples. `base` is the protocol; each engine lives in a module or package of its own."""
