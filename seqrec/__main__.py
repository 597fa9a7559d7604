"""`python -m seqrec`: the same as the command `seqrec`."""

from seqrec.cli.main import main

if __name__ == "__main__":
    main()
