"""The APIs of model servers: what their bodies say, in the names of events. One file an API."""
