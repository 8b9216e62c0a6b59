"""Shows the runner what it must notice."""

import sys

for word in sys.argv[1:]:
    if word == "different":
        print(sys.implementation.name)
    elif word == "fail":
        raise ValueError("as asked")
    else:
        print(word)
