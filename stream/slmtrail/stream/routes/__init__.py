"""Where alerts go beside the bus: webhooks, mail, commands. They read `slm.alerts` and never hold the stream up."""
