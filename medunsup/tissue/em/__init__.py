"""Expectation-maximisation: the mixture, its bias field, its random field and their limits."""
