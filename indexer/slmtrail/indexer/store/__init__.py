"""Where sealed records are searched: the adapters of the Store port."""
