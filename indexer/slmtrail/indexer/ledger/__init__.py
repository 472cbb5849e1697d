"""The Merkle log over the records of one partition: its tree, its files, its checkpoints and proofs."""
