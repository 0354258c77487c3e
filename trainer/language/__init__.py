"""Language models: n-grams, estimated and used."""
