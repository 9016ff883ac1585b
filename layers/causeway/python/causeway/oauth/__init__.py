"""The authorization of connections at their platforms by OAuth, and the deployment's own OAuth apps."""
