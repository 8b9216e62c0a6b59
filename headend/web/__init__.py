"""The live page: what the meters and the books say, for people. Start with README.md."""
